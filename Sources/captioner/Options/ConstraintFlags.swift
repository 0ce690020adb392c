import ArgumentParser
import Models
import Decoding
import Language

/// What captions must and must not say.
struct ConstraintFlags: ParsableArguments {
  @Option(help: ArgumentHelp("How captions begin, such as \"two dogs\".", valueName: "words")) var prefix = ""
  @Option(
    help: ArgumentHelp(
      "A word that captions must contain; may be given again for another.", valueName: "word"))
  var force: [String] = []
  @Option(
    help: ArgumentHelp("A word that captions must not contain; may be given again.", valueName: "word"))
  var forbid: [String] = []
  @Option(
    help: ArgumentHelp("No n words in a row come twice: 3 stops loops; 0 lets them.", valueName: "n"))
  var noRepeatNgram = 0

  func validate() throws {
    guard (0...1000).contains(noRepeatNgram) else {
      throw ValidationError("--no-repeat-ngram: expected 0 to 1000, found \(noRepeatNgram)")
    }
  }

  /// The rules, in the model's words.
  /// - Throws: `ValidationError` naming a word that the vocabulary lacks, or rules that no caption can follow.
  func constraints(lengths: ClosedRange<Int>, _ vocabulary: Vocabulary) throws -> Constraints {
    do {
      return try Constraints(
        prefix: prefix, forced: force, forbidden: forbid, noRepeatNGram: noRepeatNgram, lengths: lengths,
        vocabulary: vocabulary)
    } catch {
      let option =
        switch error {
        case .unknownWord(_, .prefix), .forbidden(_, .prefix), .repeated: "--prefix"
        case .unknownWord(_, .forced), .forbidden: "--force"
        case .unknownWord(_, .forbidden): "--forbid"
        case .tooLong: "--max-length"
        case .tooFewWords: "--min-length"
        }
      throw ValidationError("\(option): \(Console.oneLine(error.description))")
    }
  }
}
