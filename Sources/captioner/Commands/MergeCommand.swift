import ArgumentParser
import Datasets
import Foundation
import Support

/// `captioner merge`: what several processes made of the parts of a list of photos, as one file.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Puts the outputs of caption or features --shard together.",
    usage: "captioner merge [<options>] <part> ... --output <file>",
    discussion: """
      Parts are files of caption --output (json or csv) or of features, named in the
      order of their shards: the merged file is what one process would have written.
      A photo that is in two parts, a part that is cut short or not done, and features
      of different kinds are refused by name.

      Examples:
        captioner caption photos --shard 1/2 --output part1.jsonl &
        captioner caption photos --shard 2/2 --output part2.jsonl & wait
        captioner merge part1.jsonl part2.jsonl --output captions.jsonl
        captioner merge part?.safetensors --output features.safetensors
      """)

  @Argument(help: ArgumentHelp("Files in the order of their shards.", valueName: "part")) var parts: [String]
  @Option(help: ArgumentHelp("The file to write.", valueName: "file")) var output: String
  @OptionGroup var engine: EngineOptions

  func run() throws {
    engine.apply()
    try reportingErrors {
      var outputs = Outputs(readingFrom: parts)
      try outputs.add(output, "--output")
      var formats: [CaptionFormat?] = []
      for part in parts {
        let file = try MappedFile(path: part)
        // A part of no photos is empty, and of any format.
        if !file.bytes.isEmpty {
          formats.append(MergedCaptions.format(ofFileThatBegins: file.bytes.prefix(64)))
        }
      }
      guard let first = formats.first, let format = first else {
        let count = try MapCache.merge(parts, to: output)
        return Console.note("\(output): features of \(count) images")
      }
      guard formats.allSatisfy({ $0 == format }) else {
        throw Failure(
          description: "\(parts.joined(separator: " ")): expected parts of one format, found several")
      }
      var merged = MergedCaptions(parts, format)
      try merged.write(to: output)
      Console.note("\(output): \(merged.images) images, \(merged.failures) of which failed")
    }
  }
}
