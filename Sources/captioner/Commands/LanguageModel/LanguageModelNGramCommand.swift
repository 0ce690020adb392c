import ArgumentParser
import Foundation
import LanguageModels
import Support

/// `captioner language-model n-gram`: the baseline that counts.
struct LanguageModelNGramCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "n-gram", abstract: "Predicts characters by counting what followed them.",
    usage: "captioner language-model n-gram [<options>] <texts> ...",
    discussion: """
      What followed the last --order characters in a text (Goldberg 2015), with
      back-off to fewer where they were seen too seldom (Witten & Bell 1991,
      interpolated): the bits per character of text that was held out, or with
      --sample a text drawn as Goldberg draws it, from what followed the longest
      context that there is. Nothing is trained, and no file is written.

      JSON, one object a line, a line an order: unit, order, characters (of the text
      counted), count, unknown, bits, bits_per_character, perplexity, as score has
      them. Memory is about 20 bytes a character.

      Examples:
        captioner language-model n-gram book.txt --order 5
        captioner language-model n-gram book.txt --order 3 --order 6 \\
          --validation other.txt --format json
        captioner language-model n-gram book.txt --order 10 --sample 500 --prime "The "
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Text files, UTF-8, counted one after the other.") var texts: [String]
  @Option(
    help: ArgumentHelp(
      "Characters that are seen before the one predicted; may be repeated (default: 5).", valueName: "n"))
  var order: [Int] = []
  @Option(
    help: ArgumentHelp(
      "Text held out; may be repeated; the end of the text unless given.", valueName: "file"))
  var validation: [String] = []
  @Option(
    help: ArgumentHelp("Share of the text, at its end, held out (default: 0.1).", valueName: "share"))
  var validationShare: Double?
  @Option(help: ArgumentHelp("Draw so many characters instead.", valueName: "n")) var sample: Int?
  @Option(help: ArgumentHelp("Text to go on from; the end of a line unless given.", valueName: "text"))
  var prime: String?
  @Option(help: ArgumentHelp("The same seed gives the same text (default: 0).", valueName: "n"))
  var seed: UInt64?
  @Option(help: "text or json (one object a line).") var format = Format.text

  func validate() throws {
    for order in order where !NGramModel.orders.contains(order) {
      throw ValidationError("--order: expected 0 to \(NGramModel.orders.upperBound), found \(order)")
    }
    guard order.count <= 1 || sample == nil else {
      throw ValidationError("--order: only once with --sample, found \(order.count)")
    }
    if let validationShare {
      guard validation.isEmpty else {
        throw ValidationError("--validation-share: only without --validation")
      }
      guard validationShare > 0, validationShare < 1 else {
        throw ValidationError(
          "--validation-share: expected more than 0 and less than 1, found \(validationShare)")
      }
    }
    if let sample {
      guard sample >= 0 else { throw ValidationError("--sample: expected 0 or more, found \(sample)") }
      guard validation.isEmpty, validationShare == nil, format == .text else {
        throw ValidationError("--sample: only without --validation, --validation-share and --format json")
      }
    }
    for (name, isGiven) in [("prime", prime != nil), ("seed", seed != nil)] where isGiven && sample == nil {
      throw ValidationError("--\(name): only with --sample")
    }
  }

  private struct Report: Encodable {
    let unit = "characters"
    let order, characters, count, unknown: Int
    let bits, bits_per_character, perplexity: Double
  }

  /// Those that are asked for.
  private var orders: [Int] { order.isEmpty ? [5] : order }

  func run() throws {
    try reportingErrors {
      let name = texts.joined(separator: ", ")
      let text = try CharacterText(contentsOf: texts)
      if let sample {
        return try draw(sample, of: CharacterNGrams(of: text, order: orders[0], named: name))
      }
      // Read before the work.
      let heldOut = validation.isEmpty ? nil : try CharacterText(contentsOf: validation)
      let (counted, scored) = try divided(text, heldOut, name)
      // Sorted for the longest contexts, it serves the shorter ones too.
      let grams = try CharacterNGrams(of: counted, order: orders.max() ?? 0, named: name)
      for order in orders { try show(grams.score(scored, order: order), order, counted.scalars.count) }
    }
  }

  private func divided(
    _ text: CharacterText, _ heldOut: CharacterText?, _ name: String
  ) throws -> (counted: CharacterText, scored: CharacterText) {
    func enough(_ text: CharacterText, _ name: String) throws {
      guard text.scalars.count >= 2 else {
        throw Failure(description: "\(name): expected 2 characters at least, found \(text.scalars.count)")
      }
    }
    if let heldOut {
      try enough(heldOut, validation.joined(separator: ", "))
      return (text, heldOut)
    }
    let parts = SourceText.characters(text).divided(lastShare: validationShare ?? 0.1)
    guard case (.characters(let first), .characters(let last)) = parts else { return (text, text) }
    try enough(last, "\(name), the end that is held out")
    return (first, last)
  }

  private func show(_ score: TextScore, _ order: Int, _ characters: Int) throws {
    if format == .json {
      return try Console.print(
        Console.json(
          Report(
            order: order, characters: characters, count: score.count, unknown: score.unknownCount,
            bits: score.bits, bits_per_character: score.bitsPerToken, perplexity: score.perplexity)))
    }
    if score.unknownCount > 0 {
      Console.complain("\(score.unknownCount) of \(score.count) are not known, scored as <unk>")
    }
    try Console.print(
      String(
        format: "%.4f bits a character, perplexity %.2f, %d characters, order %d on %d", score.bitsPerToken,
        score.perplexity, score.count, order, characters))
  }

  private func draw(_ length: Int, of grams: CharacterNGrams) throws {
    var printer = TextPrinter(grams.vocabulary)
    for scalar in (prime ?? "").unicodeScalars {
      try printer.add(grams.vocabulary.id(of: scalar) ?? grams.vocabulary.unknown ?? 0)
    }
    var random = Random(seed: seed ?? 0)
    try grams.sample(length, after: prime ?? "\n", using: &random) { token in
      try printer.add(token)
      return true
    }
    try printer.finish()
  }
}
