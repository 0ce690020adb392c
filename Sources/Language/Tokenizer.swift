internal import Foundation

/// Turns a caption into words as the COCO caption evaluation does: Penn Treebank tokens in lower case,
/// without punctuation.
///
/// `A man doesn't (usually) wear a t-shirt, "he" can.` gives `a man does n't -lrb- usually -rrb- wear a t-shirt
/// he can`. A port by behaviour of the tokenizer of coco-caption (`PTBTokenizer -preserveLines -lowerCase`, then
/// removal of its list of punctuation): brackets become `-lrb-` and stay, because they do there. Every text is
/// accepted; what the Treebank has no token for (emoji, control characters) is dropped.
///
/// Each caption is read alone, and its end counts as the end of a sentence.
///
/// Where it departs from coco-caption's: scripts without spaces between words (Han, kana, Thai, Lao, Myanmar, Khmer) are
/// taken apart, a grapheme cluster a token, where coco-caption has the whole text for one word.
public struct Tokenizer: Sendable, Equatable {
  /// Whether texts in scripts without spaces are taken apart.
  let splitsUnspacedScripts: Bool

  /// The tokenizer.
  /// - Parameter splitsUnspacedScripts: false gives coco-caption's own words in every script.
  public init(splitsUnspacedScripts: Bool = true) { self.splitsUnspacedScripts = splitsUnspacedScripts }

  /// The tokenizer by which these words were made: one that leaves scripts without spaces whole, if some word has several
  /// characters of theirs. So models that learned from captions with spaces put in keep their words.
  init(thatGave words: [String]) {
    splitsUnspacedScripts = !words.contains { UnspacedScripts.areIn($0) && !UnspacedScripts.isCluster($0) }
  }

  /// The words of `caption`, in order; none holds white space or is empty. Apostrophes are `'` however they were
  /// written, and letters are composed (Unicode's NFC).
  public func tokens(_ caption: String) -> [String] {
    let (tokens, areOdd) = read(Self.composed(caption))
    guard areOdd else { return tokens }
    return tokens.flatMap {
      $0.split(separator: "\u{A0}").map { String($0).replacing("\u{2019}", with: "'") }
    }
  }

  /// As `tokens`, with `22 3/4` or `800 555 1234` as one token that holds no-break spaces (U+00A0), and with the
  /// apostrophes of `l’homme` and `’90s` and the letters as they were written.
  ///
  /// So coco-caption's tokenizer has them; its BLEU and CIDEr then take the former for several words, its ROUGE-L for
  /// one.
  public func wholeTokens(_ caption: String) -> [String] { read(caption).tokens }

  /// `caption` in Unicode's NFC: é as one character, not as e and an accent.
  public static func composed(_ caption: String) -> String {
    caption.utf8.allSatisfy { $0 < 0x80 } ? caption : caption.precomposedStringWithCanonicalMapping
  }

  /// Whether the caption has scripts without spaces, which are taken apart.
  public func takesApart(_ caption: String) -> Bool {
    splitsUnspacedScripts && UnspacedScripts.areIn(caption)
  }

  /// The text of words: spaces between them, but for characters of scripts that have none.
  public func text(of words: some Sequence<String>) -> String {
    var text = ""
    var isJoined = false
    for word in words {
      let joins = splitsUnspacedScripts && UnspacedScripts.isCluster(word)
      if !text.isEmpty, !(isJoined && joins) { text += " " }
      text += word
      isJoined = joins
    }
    return text
  }

  private func read(_ caption: String) -> (tokens: [String], areOdd: Bool) {
    guard takesApart(caption) else { return lexed(caption) }
    var all: (tokens: [String], areOdd: Bool) = ([], false)
    for part in UnspacedScripts.parts(of: caption) {
      switch part {
      case .cluster(let cluster): all.tokens.append(cluster)
      case .other(let text):
        let (tokens, areOdd) = lexed(text)
        all.tokens += tokens
        all.areOdd = all.areOdd || areOdd
      }
    }
    return all
  }

  private func lexed(_ text: String) -> (tokens: [String], areOdd: Bool) {
    var text = text
    return text.withUTF8 { bytes in
      let lexer = Lexer(text: bytes)
      var words = WordCollector(text: bytes)
      var position = 0
      while position < bytes.count {
        position = lexer.next(at: position, into: &words)
      }
      return (words.words, words.areOdd)
    }
  }
}

/// Gathers the tokens the lexer finds, in lower case.
struct WordCollector {
  let text: UnsafeBufferPointer<UInt8>
  private(set) var words: [String] = []
  /// Whether some word holds a no-break space or a typographic apostrophe.
  private(set) var areOdd = false
  private var scratch: [UInt8] = []

  init(text: UnsafeBufferPointer<UInt8>) {
    self.text = text
    words.reserveCapacity(text.count / 5 + 2)
    scratch.reserveCapacity(32)
  }

  /// Adds a word that is not spelled as in the text.
  mutating func add(_ word: String) {
    areOdd = areOdd || word.unicodeScalars.contains { $0 == "\u{A0}" || $0 == "\u{2019}" }
    words.append(word)
  }

  /// Adds the second half of a contraction (`'s`, `n't`), whose apostrophe the Treebank spells as ASCII does.
  mutating func add(contraction range: Range<Int>) {
    add(
      String(decoding: text[range], as: UTF8.self).lowercased().replacing("\u{2019}", with: "'").replacing(
        "\u{2018}", with: "`"))
  }

  /// Adds the text of `range` in lower case, with the spelling the Treebank gives hyphens and spaces.
  mutating func add(_ range: Range<Int>) {
    scratch.removeAll(keepingCapacity: true)
    var ascii = true
    for position in range {
      let byte = text[position]
      ascii = ascii && byte < 0x80 && byte != 0x20
      scratch.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
    }
    let word = String(decoding: scratch, as: UTF8.self)
    if ascii { return words.append(word) }
    let normalized = normalized(word)
    if !normalized.isEmpty { add(normalized) }
  }

  private func normalized(_ word: String) -> String {
    var result = String.UnicodeScalarView()
    let scalars = Array(word.lowercased().unicodeScalars)
    for (place, scalar) in scalars.enumerated() {
      switch scalar.value {
      case 0x2018: result.append("`")
      case 0x20: result.append("\u{A0}")
      case 0xAD: break  // Soft hyphens are invisible.
      case 0x3C3 where place > 0 && place == scalars.count - 1 && scalars[place - 1].properties.isAlphabetic:
        result.append("\u{3C2}")  // The sigma at the end of a word.
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
