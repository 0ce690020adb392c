import ArgumentParser
import Decoding
import Foundation
import Imaging
import Language
import Models
import Support
import WebPages

/// `captioner alt`: alternative texts for the images of HTML pages that have none.
struct AltCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alt", abstract: "Captions the images of HTML pages that have no alt attribute.",
    discussion: """
      Gives img elements whose picture is a file of the site an alt attribute, and
      tells what it did with each, a line an image. An alt that is there is never
      touched, an empty one neither: it says that the picture means nothing. All
      other bytes of a page stay as they are. Pictures on other hosts and in the
      page itself (data:) are left out; nothing is fetched.

      Without --in-place and --write-to nothing is written: it tells what it would
      do. A src with a leading / is below --images-root, another beside its page or
      else below --images-root, which must hold the pictures; it is the page's
      folder unless given.

      Captions are guesses: have somebody read them, or leave out the doubtful ones
      with --minimum-confidence.

      json, one object a line: page, line, src, path, outcome (captioned, unsure,
      has alt, elsewhere, failed), caption, log_prob, confidence, error.

      Examples:
        captioner alt index.html
        captioner alt site/*.html --images-root site --in-place
        captioner alt page.html --write-to checked --minimum-confidence 0.4
        captioner alt page.html --format json | jq .caption
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "HTML pages.") var pages: [String]
  @Option(help: ArgumentHelp("Folder that holds the site's pictures.", valueName: "folder"))
  var imagesRoot: String?
  @Flag(help: "Write the pages with their new attributes over the old ones.") var inPlace = false
  @Option(
    help: ArgumentHelp(
      "Write them into this folder instead, made if need be, under their names.",
      valueName: "folder"))
  var writeTo: String?
  @OptionGroup var confidence: ConfidenceOption
  @OptionGroup var model: ModelOption
  @OptionGroup var photos: PhotoOptions
  @Option(help: "text or json (one object a line).") var format = Format.text
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  /// The largest page that is read.
  private static let pageLimit = 64 << 20

  func validate() throws {
    if inPlace, writeTo != nil { throw ValidationError("--write-to: only without --in-place") }
    let names = pages.map { ExactName(FileName.split($0).name) }
    if writeTo != nil,
      let twice = Dictionary(grouping: names, by: \.self).first(where: { $0.value.count > 1 })
    {
      throw ValidationError(
        "--write-to: expected pages of different names, found \(twice.key.text.printable()) twice")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let modelPath = try model.resolved()
      var failures = 0
      var read: [Page] = []
      for path in pages {
        do throws(FileError) {
          read.append(try Page(path, root: imagesRoot, limit: Self.pageLimit))
        } catch {
          Console.complain("\(error)")
          failures += 1
        }
      }
      try checkOutputs(read)
      let captions = try captions(of: read.flatMap(\.pictures), modelPath)
      for page in read {
        let outcomes = page.outcomes(captions, isSure: confidence.isSure)
        failures += outcomes.count { $0.outcome == .failed }
        let lines = try outcomes.map { (format == .json ? try Console.json($0) : $0.text) + "\n" }
        if let destination = destination(of: page.path) {
          try Console.writeWhileRead(Array(lines.joined().utf8))
          let filled = page.images.filled(outcomes.map { $0.outcome == .captioned ? $0.caption : nil })
          do { try AtomicFile.write(to: destination) { try $0.write(filled) } } catch let error as FileError {
            Console.complain("\(error)")
            failures += 1
            continue
          }
        } else {
          try Console.write(lines.joined())
        }
        note(page, outcomes)
      }
      if failures > 0 { throw ExitCode(1) }
    }
  }

  /// The captions of files, each captioned once; or why there are none.
  private func captions(
    of files: [String], _ modelPath: String
  ) throws -> [ExactName: Result<Caption, ImageError>] {
    var names = Set<ExactName>()
    let files = files.filter { names.insert(ExactName($0)).inserted }
    guard !files.isEmpty else { return [:] }
    let captioner = try CaptionModel(
      contentsOf: modelPath, caching: files.count < VGGEncoder.batchSize ? .streamed : .resident,
      arithmetic: encoding.arithmetic)
    try confidence.check(captioner)
    captioner.encoder.reader = photos.reader
    var captions: [ExactName: Result<Caption, ImageError>] = [:]
    var progress = BatchProgress(total: files.count, shown: true)
    try captioner.caption(files) { maps, _ in
      captioner.captions(maps, .beam(BeamOptions()))
    } found: { place, result in
      captions[ExactName(files[place])] = result.map { $0[0] }
      progress.update(place + 1)
    }
    progress.finish(failed: captions.values.count { if case .failure = $0 { true } else { false } })
    return captions
  }

  private func destination(of page: String) -> String? {
    if inPlace { return page }
    return writeTo.map { $0 + "/" + FileName.split(page).name }
  }

  /// Tries the destinations before the work.
  private func checkOutputs(_ pages: [Page]) throws {
    if inPlace {
      for page in pages { try AtomicFile.check(page.path) }
    } else if let writeTo {
      try OutputFolder.make(writeTo)
      var outputs = Outputs(readingFrom: pages.map(\.path))
      for page in pages {
        if let path = destination(of: page.path) { try outputs.add(path, "--write-to") }
      }
    }
  }

  private func note(_ page: Page, _ outcomes: [PageOutcome]) {
    let counts = PageOutcome.Kind.allCases.compactMap { kind in
      let count = outcomes.count { $0.outcome == kind }
      return count > 0 ? "\(count) \(kind.rawValue)" : nil
    }
    let told = counts.isEmpty ? "no images" : counts.joined(separator: ", ")
    let written =
      destination(of: page.path).map { ": written to \($0)" }
      ?? "; nothing written (--in-place or --write-to FOLDER)"
    Console.note("\(page.path): \(told)\(written)")
  }
}
