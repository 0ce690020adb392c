import ArgumentParser
import Foundation
import LanguageModels
import Support

/// `captioner language-model score`: how well a model predicts texts.
struct LanguageModelScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Gives the bits per character or word of texts.",
    usage: "captioner language-model score [<options>] <model> <texts> ...",
    discussion: """
      -log2 of each character's or word's probability given all before it, and its
      mean; the first of a text is given. Those that the model does not know count
      as <unk>, and are told of. Texts of many thousands are read in up to 64
      streams, each from zero states.

      JSON, one object a line: file, unit, count, unknown, bits, bits_per_character
      (bits_per_word), perplexity.

      Examples:
        captioner language-model score run/model.safetensors held-out.txt
        captioner language-model score run/model.safetensors *.txt --format json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Model file that language-model train made.") var model: String
  @Argument(help: "Text files.") var texts: [String]
  @Option(help: "text or json (one object a line).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  private struct Report: Encodable {
    let file, unit: String
    let count, unknown: Int
    let bits, perplexity: Double
    let bits_per_character, bits_per_word: Double?

    init(_ file: String, _ score: TextScore, _ unit: TextUnit) {
      self.file = file
      self.unit = unit.rawValue
      count = score.count
      unknown = score.unknownCount
      bits = score.bits
      perplexity = score.perplexity
      bits_per_character = unit == .characters ? score.bitsPerToken : nil
      bits_per_word = unit == .words ? score.bitsPerToken : nil
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let model = try LanguageModel(contentsOf: model)
      var failed = false
      for path in texts {
        do {
          let text = try EncodedText(contentsOf: [path], as: model.vocabulary)
          guard text.tokens.count >= 2 else {
            throw Failure(
              description:
                "\(path): expected 2 \(model.vocabulary.unit.rawValue) at least, found \(text.tokens.count)")
          }
          try show(model.score(text), of: path, model.vocabulary.unit)
        } catch {
          Console.complain("\(error)")
          failed = true
        }
      }
      if failed { throw ExitCode(1) }
    }
  }

  private func show(_ score: TextScore, of path: String, _ unit: TextUnit) throws {
    if format == .json {
      return try Console.print(Console.json(Report(path, score, unit)))
    }
    if score.unknownCount > 0 {
      Console.complain("\(path): \(score.unknownCount) of \(score.count) are not known, scored as <unk>")
    }
    let figures = String(
      format: "%.4f bits a %@, perplexity %.2f, %d %@", score.bitsPerToken, unit.singular, score.perplexity,
      score.count, unit.rawValue)
    try Console.print("\(path.printable(keepingBytes: true)): \(figures)")
  }
}
