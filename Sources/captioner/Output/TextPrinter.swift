import Foundation
import LanguageModels
import Support

/// Prints a text token by token: at once on a terminal, where controls are escaped, else in large pieces.
struct TextPrinter {
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
