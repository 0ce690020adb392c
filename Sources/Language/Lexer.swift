/// Finds the next token in UTF-8 text: of all rules that match at a position the longest wins.
///
/// A position is a byte offset at a scalar's boundary; offsets past the end read as 0, so no rule needs to check.
struct Lexer {
  let text: UnsafeBufferPointer<UInt8>

  /// Reads one token (or one piece of white space or punctuation) at `start`, adds its words, gives its end.
  func next(at start: Int, into words: inout WordCollector) -> Int {
    let first = byte(start)
    if first == UInt8(ascii: " ") { return start + 1 }
    let end = word(start)
    guard end > start else { return symbol(at: start, into: &words) }
    // Nearly all words of a caption end at a space; numbers may go on.
    let plain = isSpaceOrEnd(end) && !isDigit(start)
    let token = plain ? end : longest(from: start, word: end)
    if let split = assimilation(start, token) {
      words.add(start..<split)
      words.add(split..<token)
    } else if let not = contraction(start, token) {
      if not.lowerBound > start { words.add(start..<not.lowerBound) }
      words.add(contraction: not)
      return not.upperBound
    } else {
      words.add(start..<token)
    }
    return token
  }

  private func longest(from start: Int, word: Int) -> Int {
    var end = word
    func consider(_ candidate: Int?) { if let candidate, candidate > end { end = candidate } }
    consider(number(start))
    consider(apostropheWord(start))
    consider(hyphenated(start))
    consider(slashed(start))
    consider(capitalsJoined(start))
    consider(dotted(start))
    consider(abbreviation(start, word: end))
    consider(address(start))
    return end
  }
}

// MARK: - Characters

extension Lexer {
  func byte(_ position: Int) -> UInt8 { position >= 0 && position < text.count ? text[position] : 0 }
  func lower(_ position: Int) -> UInt8 {
    let value = byte(position)
    return value &- 0x41 < 26 ? value | 0x20 : value
  }
  func isUpper(_ position: Int) -> Bool { byte(position) &- 0x41 < 26 }
  func isDigit(_ position: Int) -> Bool { byte(position) &- 0x30 < 10 }
  func isASCIILetter(_ position: Int) -> Bool { (byte(position) | 0x20) &- 0x61 < 26 }
  func isAlphanumeric(_ position: Int) -> Bool { isASCIILetter(position) || isDigit(position) }
  func isSpaceOrEnd(_ position: Int) -> Bool {
    position >= text.count || byte(position) == 0x20 || byte(position) &- 9 < 5
  }
  func isLetter(_ position: Int) -> Bool { letter(position) > position }
  func isVowel(_ position: Int, orY: Bool = false) -> Bool {
    switch lower(position) {
    case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): true
    case UInt8(ascii: "y"): orY
    default: false
    }
  }
  func matches(_ word: StaticString, at position: Int) -> Bool {
    word.withUTF8Buffer { word in
      word.indices.allSatisfy { lower(position + $0) == word[$0] }
    }
  }

  /// The scalar at `position` and its end.
  func scalar(_ position: Int) -> (Unicode.Scalar, end: Int) {
    let first = UInt32(byte(position))
    let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard length > 1 else { return (Unicode.Scalar(UInt8(first)), position + 1) }
    var value = first & (0x7F >> UInt32(length))
    for offset in 1..<length { value = value << 6 | UInt32(byte(position + offset) & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", min(position + length, text.count))
  }

  /// The end of the letter (of any script, with marks and soft hyphens) at `position`; `position` if none is there.
  func letter(_ position: Int) -> Int {
    if byte(position) < 0x80 { return isASCIILetter(position) ? position + 1 : position }
    let (scalar, end) = scalar(position)
    guard scalar.value < 0x10000 else { return position }
    switch scalar.properties.generalCategory {
    // Digits of other scripts (٣, ３) are among words as letters are.
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
      .spacingMark, .decimalNumber:
      // Variation selectors belong to symbols.
      return 0xFE00...0xFE0F ~= scalar.value ? position : end
    default: return scalar.value == 0xAD ? end : position
    }
  }

  func letters(_ start: Int) -> Int {
    var end = start
    while case let next = letter(end), next > end { end = next }
    return end
  }

  /// Letters and digits of any script; single underscores may join them.
  func word(_ start: Int) -> Int {
    var end = start
    while true {
      if isDigit(end) {
        end += 1
      } else if case let next = letter(end), next > end {
        end = next
      } else if end > start, byte(end) == UInt8(ascii: "_"), isDigit(end + 1) || isLetter(end + 1) {
        end += 1
      } else {
        return end
      }
    }
  }

  func alphanumerics(_ start: Int) -> Int {
    var end = start
    while isAlphanumeric(end) { end += 1 }
    return end
  }

  func digits(_ start: Int, atMost limit: Int = .max) -> Int {
    var end = start
    while isDigit(end), end - start < limit { end += 1 }
    return end
  }

  /// The end of the apostrophe at `position`, if there is one.
  func apostrophe(_ position: Int) -> Int? {
    if byte(position) == UInt8(ascii: "'") { return position + 1 }
    return byte(position) == 0xE2 && byte(position + 1) == 0x80 && byte(position + 2) == 0x99
      ? position + 3 : nil
  }

  /// The end of a hyphen at `position` (or of one of its two Unicode twins), if there is one.
  func hyphen(_ position: Int) -> Int? {
    if byte(position) == UInt8(ascii: "-") { return position + 1 }
    let twin = byte(position) == 0xE2 && byte(position + 1) == 0x80 && byte(position + 2) & 0xFE == 0x90
    return twin ? position + 3 : nil
  }
}
