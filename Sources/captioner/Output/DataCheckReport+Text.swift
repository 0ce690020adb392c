import Datasets
import Foundation
import Support
import Training

extension DataCheckReport {
  /// The report for people, a fact a line.
  func text() -> String {
    var lines: [String] = []
    for (name, split) in [("training", data.train), ("validation", data.validation)] {
      lines.append("\(name): \(split.summary)")
      add("missing", split.missingImages.map(\.reason), to: &lines)
      add("corrupt", split.corruptImages.map(\.reason), to: &lines)
      add("without a caption", split.imagesWithoutCaptions, to: &lines)
      add("empty captions", split.emptyCaptions, to: &lines)
      add("entries that can't be read", split.brokenEntries, to: &lines)
      add("captions without words", split.captionsWithoutWords, to: &lines)
      add("images that come twice", split.repeatedImages.map(Self.name), to: &lines)
      add("captions that come twice", split.repeatedCaptions, to: &lines)
    }
    add("validation images that training sees", data.sharedImages.map(Self.name), to: &lines)
    if let beside { add(beside, to: &lines) }
    lines.append(
      "vocabulary: \(data.vocabularySize) words; "
        + String(
          format: "%.2f %% of training words and %.2f %% of validation words become <unk>",
          data.train.unknownShare * 100, unknownShare * 100))
    lines += notes
    if let start { lines.append(start.text) }
    let duration = ProgressLine.duration
    lines.append(
      "time, roughly: features \(duration(estimate.featureSeconds)), an epoch \(duration(estimate.epochSeconds)), "
        + "all epochs \(duration(estimate.totalSeconds))")
    let size = { (bytes: Int) in String(format: "%.1f GB", Double(bytes) / 1e9) }
    lines.append("memory, roughly: \(size(estimate.memoryBytes))")
    lines.append(
      "disk: \(size(estimate.diskBytes)) of \(size(estimate.freeDiskBytes)) free"
        + (estimate.fits ? "" : ": too little"))
    lines.append(usable ? "everything can be used" : "not everything can be used")
    return lines.joined(separator: "\n")
  }

  private func add(_ beside: SourcesCheck, to lines: inout [String]) {
    if beside.textSentences > 0 {
      lines.append("text: \(beside.textSentences) sentences, \(beside.textWords) words")
    }
    if beside.labelledPhotos + beside.labelledLeftOut > 0 {
      lines.append(
        "labels: \(beside.labelledPhotos) photos of \(beside.labels) things, \(beside.labelledLeftOut) left out"
      )
    }
    if beside.scoredPhotos > 0 {
      lines.append("teacher: \(beside.scoredPhotos) photos, scores of \(beside.scoredClasses) classes")
    }
    add("missing", beside.missingImages.map(\.reason), to: &lines)
    add("corrupt", beside.corruptImages.map(\.reason), to: &lines)
  }

  private static func name(_ twins: DataCheck.Twins) -> String {
    twins.image == twins.first ? twins.image : "\(twins.image) (as \(twins.first))"
  }

  /// The number of entries and the first few.
  private func add(_ title: String, _ entries: [String], to lines: inout [String]) {
    guard !entries.isEmpty else { return }
    lines.append("  \(title): \(entries.count)")
    lines += entries.prefix(5).map { "    " + Console.oneLine($0) }
    if entries.count > 5 { lines.append("    … and \(entries.count - 5) more") }
  }
}
