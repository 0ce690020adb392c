import ArgumentParser
import Captioning
import Foundation
import Imaging
import Language

/// `captioner caption`: photos in, captions out.
struct CaptionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "caption", abstract: "Captions photos.",
    discussion: """
      PATH is a PNG or JPEG file, a folder (every file directly in it), or - for
      an image on standard input. A file that can't be read costs that file
      only; the exit status is then 1.

      Examples:
        captioner caption photo.jpg
        captioner caption photos/ --format csv > captions.csv
        captioner caption a.jpg b.png --beam-width 5 --captions 5 --format json
        curl -s https://example.org/photo.jpg | captioner caption -
      """)

  @Argument(help: "Image files, folders of them, or - for standard input.") var paths: [String]
  @OptionGroup var model: ModelOption
  @OptionGroup var search: SearchFlags
  @Option(help: ArgumentHelp("Captions per image, the best first; at most the beam width.", valueName: "n"))
  var captions = 1
  @Option(help: "text, json (one object a line) or csv.") var format = CaptionFormat.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (1...search.beamWidth).contains(captions) else {
      throw ValidationError("--captions: expected 1 to the beam width \(search.beamWidth), found \(captions)")
    }
    guard paths.count(where: { $0 == "-" }) <= 1 else { throw ValidationError("- may be given once") }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let modelPath = try model.resolved()
      var (files, failures): ([String], Int) = ([], 0)
      var writer = CaptionWriter(format: format)
      for path in paths {
        do throws(ImageError) {
          let found = path == "-" ? ["-"] : try ImageFiles.list(path)
          if found.isEmpty { throw .unreadable(path: path, reason: "a folder without files") }
          files += found
        } catch {
          failures += 1
          try writer.write(image: path, error: error.description)
        }
      }
      writer.namesImages = paths.count > 1 || files.count != 1 || files != paths
      let captioner = try Captioner(
        modelAt: modelPath, residency: files.count < VGGEncoder.batchSize ? .streamed : .resident)
      failures += try caption(files, captioner, &writer)
      if failures > 0 { throw ExitCode(1) }
    }
  }

  private func caption(_ files: [String], _ captioner: Captioner, _ writer: inout CaptionWriter) throws -> Int
  {
    let loader = ImageLoader(captioner.description.preprocessing)
    var failures = 0
    var progress = BatchProgress(total: files.count, shown: format != .text || isatty(1) == 0)
    for start in stride(from: 0, to: files.count, by: VGGEncoder.batchSize) {
      let range = start..<min(files.count, start + VGGEncoder.batchSize)
      let batch = loader.load(files, range)
      var errors: [Int: String] = [:]
      for (index, error) in batch.failures { errors[index] = error.description }
      let found =
        batch.indices.isEmpty
        ? [] : captioner.captions(try captioner.pooled(batch.images), search.options(captions: captions))
      let byIndex = Dictionary(uniqueKeysWithValues: zip(batch.indices, found))
      for index in range {
        if let captions = byIndex[index] {
          try writer.write(image: files[index], captions: captions)
        } else {
          failures += 1
          try writer.write(image: files[index], error: errors[index] ?? "can't be read")
        }
      }
      progress.update(range.upperBound)
    }
    progress.finish()
    return failures
  }
}
