/// Scripts that put no spaces between words: Han, Hiragana, Katakana, Thai, Lao, Myanmar and Khmer.
///
/// Every grapheme cluster of theirs is a token of its own: a Han character, a kana, a Thai consonant with its vowel and
/// tone marks. In the text of a caption such tokens stand side by side again. So it needs no dictionary, and how captions
/// are counted does not depend on one.
enum UnspacedScripts {
  /// Letters that a cluster may begin with.
  static func contains(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0xE00: false
    case 0xE00...0xEFF, 0x1000...0x109F, 0x1780...0x17FF, 0xA9E0...0xA9FE, 0xAA60...0xAA7F:
      isLetter(scalar)
    // 々, 〆 and 〇; kana, and their small and half-width forms; Han.
    case 0x3005...0x3007, 0x3041...0x3096, 0x309D...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF,
      0x31F0...0x31FF, 0xFF66...0xFF9D, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,
      0x1B000...0x1B16F, 0x20000...0x323AF:
      true
    default: false
    }
  }

  /// Whether the text has any.
  static func areIn(_ text: String) -> Bool {
    // Their first bytes; nearly all captions have none above these.
    text.utf8.contains { $0 >= 0xE0 } && text.unicodeScalars.contains(where: contains)
  }

  /// Whether a word is one cluster of theirs.
  static func isCluster(_ word: String) -> Bool {
    guard areIn(word), case let parts = parts(of: word), parts.count == 1, case .cluster(word)? = parts.first
    else {
      return false
    }
    return true
  }

  /// A part of a text.
  enum Part: Equatable {
    /// A cluster of theirs, without what is invisible.
    case cluster(String)
    /// Text of other scripts.
    case other(String)
  }

  /// The parts of a text. Punctuation beyond ASCII (、。「」) goes, and so do marks that have no letter to stand on.
  static func parts(of text: String) -> [Part] {
    var parts: [Part] = []
    var other = ""
    func flush() {
      if !other.isEmpty { parts.append(.other(other)) }
      other = ""
    }
    for character in text {
      guard let first = character.unicodeScalars.first else { continue }
      if contains(first) {
        flush()
        parts.append(.cluster(visible(character)))
      } else if isMark(first), other.isEmpty, case .cluster(let cluster)? = parts.last {
        // Some marks of Myanmar and Khmer count as characters of their own.
        parts[parts.count - 1] = .cluster(cluster + visible(character))
      } else if first.value >= 0x2E80 || (0xE00...0x17FF).contains(first.value),
        isPunctuation(first) || isMark(first)
      {
        other.append(" ")
      } else {
        other.append(character)
      }
    }
    flush()
    return parts
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    let category = scalar.properties.generalCategory
    return category == .otherLetter || category == .modifierLetter
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation, .dashPunctuation,
      .connectorPunctuation, .otherPunctuation, .format:
      true
    default: false
    }
  }

  /// A character without joiners and selectors of another look.
  private static func visible(_ character: Character) -> String {
    var scalars = String.UnicodeScalarView()
    scalars.append(
      contentsOf: character.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint })
    return String(scalars)
  }
}
