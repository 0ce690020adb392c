/// Turns a caption into words as the COCO caption evaluation does: Penn Treebank tokens in lower case,
/// without punctuation.
///
/// `A man doesn't (usually) wear a t-shirt, "he" can.` gives `a man does n't -lrb- usually -rrb- wear a t-shirt
/// he can`. A port by behaviour of the tokenizer of coco-caption (`PTBTokenizer -preserveLines -lowerCase`, then
/// removal of its list of punctuation): brackets become `-lrb-` and stay, because they do there. Every text is
/// accepted; what the Treebank has no token for (emoji, control characters) is dropped.
///
/// Each caption is read alone, and its end counts as the end of a sentence.
public struct Tokenizer: Sendable {
  /// The tokenizer.
  public init() {}

  /// The words of `caption`, in order; none holds white space or is empty. Apostrophes are `'` however they were
  /// written.
  public func tokens(_ caption: String) -> [String] {
    let (tokens, areOdd) = read(caption)
    guard areOdd else { return tokens }
    return tokens.flatMap {
      $0.split(separator: "\u{A0}").map { String($0).replacing("\u{2019}", with: "'") }
    }
  }

  /// As `tokens`, with `22 3/4` or `800 555 1234` as one token that holds no-break spaces (U+00A0), and with the
  /// apostrophes of `l’homme` and `’90s` as they were written.
  ///
  /// So coco-caption's tokenizer has them; its BLEU and CIDEr then take the former for several words, its ROUGE-L for
  /// one.
  public func wholeTokens(_ caption: String) -> [String] { read(caption).tokens }

  private func read(_ caption: String) -> (tokens: [String], areOdd: Bool) {
    var caption = caption
    return caption.withUTF8 { bytes in
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
    for scalar in word.lowercased().unicodeScalars {
      switch scalar.value {
      case 0x2018: result.append("`")
      case 0x20: result.append("\u{A0}")
      case 0xAD: break  // Soft hyphens are invisible.
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
