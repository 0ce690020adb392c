public import ArgumentParser
public import Datasets
import Foundation
import Support

/// `captioner data`: whether a folder has a data set as its authors distribute it, and how to train on it.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Looks whether a folder has a published data set whole, and says how to train on it.",
    discussion: """
      DATASET is one of
      \(DistributedDataset.all.map { "  \($0.name.padding(toLength: 11, withPad: " ", startingAt: 0))\($0.title)" }
        .joined(separator: "\n"))
      FOLDER is where its archives were unpacked. Caption files are read, photos looked
      for by name; doctor decodes them too. Nothing is downloaded or changed.

      Exit status: 0 everything is there, 1 something is missing or differs, 64 usage.

      Examples:
        captioner data coco ~/coco
        captioner data flickr8k . && echo whole
        captioner data karpathy ~/coco --format json | jq .parts
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(
    help: ArgumentHelp(DistributedDataset.all.map(\.name).joined(separator: ", "), valueName: "dataset"))
  var dataset: DistributedDataset
  @Argument(help: "Where it was unpacked.") var folder: String
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func run() throws {
    engine.apply()
    try reportingErrors {
      let path = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
      var progress: ProgressLine?
      let check = try FolderCheck(path, dataset) { done, total in
        if progress == nil { progress = ProgressLine("looking", total: total, unit: "splits") }
        progress?.update(done)
        if done == total { progress?.finish(total) }
      }
      try Console.print(format == .json ? Console.json(check) : text(check))
      if !check.isWhole { throw ExitCode(1) }
    }
  }

  private func text(_ check: FolderCheck) -> String {
    var lines = ["\(dataset.title) \(check.form), in \(folder)"]
    for part in check.parts {
      lines.append("")
      if let images = part.imageCount, let captions = part.captionCount {
        lines.append("\(part.split): \(images) images, \(captions) captions")
        lines.append("  captions: \(part.captions)")
        if part.missingPhotos < images { lines.append("  photos: \(part.images)") }
      } else {
        lines.append("\(part.split): not there")
      }
      lines += part.problems.map { "  wrong: \($0)" }
    }
    lines.append("")
    if !check.isWhole { lines.append("to be had from: \(dataset.source)") }
    lines.append("terms: \(dataset.terms)")
    if let training = check.training {
      let words = training.map(\.shellWord).joined(separator: " ")
      lines += [
        "", "every photo decoded, duplicates found:", "  captioner doctor \(words)",
        "to train on it:", "  captioner train \(words) \\", "    --encoder vgg16.safetensors --output run",
      ]
    }
    return lines.map(Console.oneLine).joined(separator: "\n")
  }
}

extension DistributedDataset: ExpressibleByArgument {
  /// A data set by its word.
  public init?(argument: String) {
    guard let known = Self.all.first(where: { $0.name == argument }) else { return nil }
    self = known
  }

  /// The words of all.
  public static var allValueStrings: [String] { all.map(\.name) }
}

extension String {
  /// As a word of a shell's command line.
  fileprivate var shellWord: String {
    let plain = utf8.allSatisfy {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "/._-+=:,@".utf8.contains($0)
    }
    return plain && !isEmpty ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
