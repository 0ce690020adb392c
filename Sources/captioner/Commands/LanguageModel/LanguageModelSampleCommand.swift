import ArgumentParser
import Foundation
import Kernels
import LanguageModels
import Support

/// `captioner language-model sample`: text that a model draws.
struct LanguageModelSampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draws text from a language model.",
    usage: "captioner language-model sample [<options>] <model>",
    discussion: """
      Each character or word with its probability given those before it. The text is
      printed as it is drawn, the prime before it; controls are escaped on a terminal.

      Examples:
        captioner language-model sample run/model.safetensors --length 500 --seed 3
        captioner language-model sample run/model.safetensors --prime "func " --temperature 0.5
        captioner language-model sample run/model.safetensors --top-p 0.9 > drawn.txt
      """)

  @Argument(help: "Model file that language-model train made.") var model: String
  @Option(help: ArgumentHelp("Characters or words to draw.", valueName: "n")) var length = 1000
  @Option(
    help: ArgumentHelp("Text to go on from; the end of a line or sentence unless given.", valueName: "text"))
  var prime = ""
  @Option(
    help: ArgumentHelp("Below 1 likely ones become likelier, above 1 others.", valueName: "T"))
  var temperature = 1.0
  @Option(help: ArgumentHelp("Draw each among the k likeliest (default: all).", valueName: "k"))
  var topK: Int?
  @Option(help: ArgumentHelp("Draw among the likeliest that make up p together.", valueName: "p"))
  var topP = 1.0
  @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n")) var seed: UInt64 = 0
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard length >= 0 else { throw ValidationError("--length: expected 0 or more, found \(length)") }
    guard (0.001...1000).contains(temperature) else {
      throw ValidationError("--temperature: expected 0.001 to 1000, found \(temperature)")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k: expected 1 or more, found \(topK)") }
    guard topP > 0 && topP <= 1 else {
      throw ValidationError("--top-p: expected more than 0, at most 1, found \(topP)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let model = try LanguageModel(contentsOf: model)
      let tokens: [Int32]
      do { tokens = try model.tokens(of: prime) } catch { throw Failure(description: "--prime: \(error)") }
      var printer = TextPrinter(model.vocabulary)
      for token in tokens { try printer.add(token) }
      let choice = ClassSampling(temperature: temperature, topK: topK, topP: topP)
      try model.sample(TextSampling(choice, seed: seed, length: length), after: tokens) { token in
        try printer.add(token)
        return true
      }
      try printer.finish()
    }
  }
}

/// Prints a text token by token: at once on a terminal, where controls are escaped, else in large pieces.
private struct TextPrinter {
  private let vocabulary: TextVocabulary
  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private var text = ""
  private var isAtLineStart = true

  init(_ vocabulary: TextVocabulary) { self.vocabulary = vocabulary }

  mutating func add(_ token: Int32) throws {
    let piece = vocabulary.text(of: token)
    switch vocabulary.unit {
    case .characters:
      text.unicodeScalars.append(contentsOf: piece.unicodeScalars)
      isAtLineStart = piece == "\n"
    case .words where token == vocabulary.beginning:
      text += "\n"
      isAtLineStart = true
    case .words:
      text += isAtLineStart ? piece : " " + piece
      isAtLineStart = false
    }
    if isTerminal || text.utf8.count > 1 << 14 { try flush() }
  }

  mutating func finish() throws {
    // A prompt should not stand behind the text.
    if !isAtLineStart { text += "\n" }
    try flush()
  }

  private mutating func flush() throws {
    let shown =
      isTerminal
      ? text.split(separator: "\t", omittingEmptySubsequences: false)
        .map { String($0).printable(keepingLines: true) }.joined(separator: "\t")
      : text
    try Console.write(shown)
    text = ""
  }
}
