import ArgumentParser
import Datasets
import Foundation
import Language
import Models
import Support
import Tensors

/// Captions of images whose features are given.
extension CaptionCommand {
  /// Images that are searched together.
  private static let together = 64

  /// What has no place beside features.
  func checkFeatureOptions() throws {
    for (option, isGiven) in [
      ("--write", !writing.write.isEmpty), ("--explain", !explain.isEmpty), ("--shard", sharing.shard != nil),
    ] where isGiven {
      throw ValidationError("\(option): only of photos, without --features")
    }
  }

  /// Captions images by name, or all that the files have.
  func captionFeatures(in paths: [String]) throws {
    let modelPath = try model.resolved()
    var outputs = Outputs(readingFrom: paths + [modelPath])
    if let output = writing.output { try outputs.add(output, "--output") }
    let captioner = try CaptionModel(ofFeaturesAt: modelPath)
    let files = try FeatureFiles(paths: paths)
    try captioner.description.check(files)
    let asked = try self.paths.names()
    let names = asked.isEmpty ? files.names : asked
    let format = CaptionFormat(format, output: writing.output)
    let output = try writing.output.map {
      try ResumableOutput($0, format, captions: captions, startingOver: writing.overwrite)
    }
    var writer =
      output.map { CaptionWriter(format: format, to: $0) } ?? CaptionWriter(format: format)
    writer.namesImages = asked.count != 1
    try confidence.check(captioner)
    writer.unsureBelow = confidence.minimumConfidence ?? captioner.description.confidence?.unsureThreshold
    let strategy = try search.strategy(captions: captions, vocabulary: captioner.description.vocabulary)
    var tally = Tally()
    let left = names.enumerated().filter { !(output?.holds($0.element) ?? false) }
    tally.skipped = names.count - left.count
    var progress = BatchProgress(
      total: left.count, shown: writer.format != .text || isatty(1) == 0 || output != nil)
    for start in stride(from: 0, to: left.count, by: Self.together) {
      let group = left[start..<min(left.count, start + Self.together)]
      let found = group.map { place, name in
        (place: place, name: name, features: Result { try files.features(of: NamedImage(called: name)) })
      }
      let readable = found.compactMap { image in (try? image.features.get()).map { (image.place, $0) } }
      let rows = readable.map(\.1)
      let places = readable.map { UInt64($0.0) }
      var captions =
        rows.isEmpty
        ? []
        : captioner.captions(
          Self.joined(rows, width: captioner.description.mapSize), strategy, streams: places)[...]
      try captioner.checkUnchanged()
      for (_, name, features) in found {
        do { _ = try features.get() } catch {
          tally.failed += 1
          try writer.write(image: name, error: "\(error)")
          continue
        }
        let own = captions.removeFirst()
        let sure = own.filter(confidence.isSure)
        if sure.isEmpty { tally.unsure += 1 } else { tally.captioned += 1 }
        try writer.write(image: name, captions: writer.format == .text ? own : sure)
      }
      progress.update(start + group.count)
    }
    progress.finish(failed: tally.failed)
    tally.tell()
    if tally.failed > 0 { throw ExitCode(1) }
  }

  /// Rows [1, width] as one tensor [N, width].
  private static func joined(_ rows: [Tensor], width: Int) -> Tensor {
    Tensor(rows.flatMap(\.scalars), [rows.count, width])
  }
}
