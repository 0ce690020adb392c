import ArgumentParser
import Datasets
import Foundation
import Language
import Support

/// `captioner vocabulary`: the vocabulary that training would use.
struct VocabularyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vocabulary", abstract: "Builds the vocabulary of a caption file and shows it.",
    usage: "captioner vocabulary [<options>] --captions <file> ...",
    discussion: """
      Prints a line a word (id, word, count), statistics on standard error; with
      --format json one object of both.

      Examples:
        captioner vocabulary --captions captions_train.json --min-count 5
        captioner vocabulary --captions captions_train.json --format json | jq .statistics
        captioner vocabulary --captions dataset_coco.json --split train
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @OptionGroup var data: CaptionOptions
  @Option(help: ArgumentHelp("Words seen less often become <unk>.", valueName: "n")) var minCount = 5
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if minCount < 1 { throw ValidationError("--min-count: expected 1 or more, found \(minCount)") }
  }

  private struct Report: Encodable {
    let words: [String]
    let counts: [Int]
    let statistics: Vocabulary.Statistics
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let tokens = try data.read(images: [""], unlessNamed: "train").tokenized()
      let counts = tokens.counts
      let vocabulary = Vocabulary(counts: counts, minimumCount: minCount)
      let statistics = tokens.statistics(of: vocabulary)
      let occurrences = vocabulary.words.map { counts[$0] ?? 0 }
      if format == .json {
        try Console.print(
          Console.json(Report(words: vocabulary.words, counts: occurrences, statistics: statistics)))
        return
      }
      let lines = vocabulary.words.indices.map {
        "\($0)\t\(vocabulary.words[$0].printable())\t\(occurrences[$0])\n"
      }
      try Console.write(lines.joined())
      Console.note(
        """
        \(statistics.captions) captions, \(statistics.tokens) words, \(statistics.distinctWords) distinct; \
        \(statistics.knownWords) words seen at least \(minCount) times cover \
        \(String(format: "%.2f", statistics.coverage * 100)) %; mean length \
        \(String(format: "%.1f", statistics.meanLength)) words
        """)
    }
  }
}
