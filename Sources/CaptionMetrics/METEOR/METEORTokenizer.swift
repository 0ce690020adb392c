internal import Support

/// Takes captions apart as METEOR 1.5 does with `-l en -norm`: punctuation apart from words, quotes and dashes made alike,
/// contractions split, dots split off or taken out, all in small letters.
///
/// Works on scalars. METEOR marks several dots with DOTMULTI, and takes it for dots where somebody wrote it himself; here
/// it stays a word: captions come in small letters.
struct METEORTokenizer {
  /// Words after which a dot ends no sentence.
  let prefixes: NonbreakingPrefixes

  /// The words of a text.
  func words(of text: String) -> [String] {
    // Nothing below changes such captions, and most are.
    if text.utf8.allSatisfy({ Self.isPlain($0) }) { return text.split(separator: " ").map(String.init) }
    var line: [UInt32] = [0x20]
    line.reserveCapacity(2 * text.utf8.count)
    for scalar in text.unicodeScalars {
      if Self.staysInPlace(scalar.value) {
        line.append(scalar.value)
      } else {
        line += [0x20, scalar.value, 0x20]
      }
    }
    line.append(0x20)
    line = Self.joiningDots(line)
    line = Self.separatingCommas(line)
    line = Self.unifyingQuotesAndDashes(line)
    line = Self.split(line, Self.isDashed, at: Mark.dash, Self.isAlphanumeric, into: [0x20])
    line = Self.splittingContractions(line)
    return finished(splittingDots(line))
  }

  // MARK: Kinds of characters

  private enum Mark {
    static let apostrophe = UInt32(0x27)
    static let comma = UInt32(0x2C)
    static let dash = UInt32(0x2D)
    static let dot = UInt32(0x2E)
    static let quote = UInt32(0x22)
    /// From here on, beyond Unicode, a value is so many dots.
    static let dots = UInt32(0x110000)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
  }

  private static func isDigit(_ value: UInt32) -> Bool { (0x30...0x39).contains(value) }

  /// Letters of Western Europe and Cyrillic ones, as METEOR lists them.
  private static func isLetter(_ value: UInt32) -> Bool {
    switch value {
    case 0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x17E, 0x400...0x4FF, 0x500...0x527,
      0xA640...0xA66E, 0xA67E...0xA697, 0x1D00...0x1D7F:
      true
    default: false
    }
  }

  private static func isAlphanumeric(_ value: UInt32) -> Bool { isDigit(value) || isLetter(value) }

  private static func isDashed(_ value: UInt32) -> Bool { isAlphanumeric(value) || value == Mark.dot }

  /// What does not become a word of its own at once.
  private static func staysInPlace(_ value: UInt32) -> Bool {
    switch value {
    case 0x09...0x0D, 0x20, Mark.dot, Mark.apostrophe, 0x60, Mark.comma, Mark.dash, 0x2018, 0x2019: true
    default: isAlphanumeric(value)
    }
  }

  /// What Java takes for the end of a word.
  private static func isDelimiter(_ value: UInt32) -> Bool {
    value == 0x20 || value == 0x09 || value == 0x0A || value == 0x0C || value == 0x0D
  }

  /// Spaces of Unicode, which METEOR makes one.
  private static func isSpace(_ value: UInt32) -> Bool {
    switch value {
    case 0x20, 0xA0, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  // MARK: Passes

  /// Replaces `mark` between two characters of these kinds; what is after it can't be before the next.
  private static func split(
    _ line: [UInt32], _ before: (UInt32) -> Bool, at mark: UInt32, _ after: (UInt32) -> Bool,
    into replacement: [UInt32]
  ) -> [UInt32] {
    guard line.contains(mark) else { return line }
    var result: [UInt32] = []
    result.reserveCapacity(line.count + 16)
    var place = 0
    while place < line.count {
      result.append(line[place])
      if place + 2 < line.count, line[place + 1] == mark, before(line[place]), after(line[place + 2]) {
        result += replacement
        result.append(line[place + 2])
        place += 3
      } else {
        place += 1
      }
    }
    return result
  }

  /// Two dots or more are a word.
  private static func joiningDots(_ line: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(line.count)
    var place = 0
    while place < line.count {
      let end = line[place...].firstIndex { $0 != Mark.dot } ?? line.count
      switch end - place {
      case 0:
        result.append(line[place])
        place += 1
        continue
      case 1: result.append(Mark.dot)
      case let count: result += [0x20, Mark.dots + UInt32(clamping: min(count, 1 << 30)), 0x20]
      }
      place = end
    }
    return result
  }

  /// Commas stay within numbers only.
  private static func separatingCommas(_ line: [UInt32]) -> [UInt32] {
    let apart: [UInt32] = [0x20, Mark.comma, 0x20]
    func isOther(_ value: UInt32) -> Bool { !isDigit(value) }
    var line = split(line, isOther, at: Mark.comma, isOther, into: apart)
    line = split(line, isDigit, at: Mark.comma, isOther, into: apart)
    return split(line, isOther, at: Mark.comma, isDigit, into: apart)
  }

  private static func unifyingQuotesAndDashes(_ line: [UInt32]) -> [UInt32] {
    let simple = line.map { value in
      switch value {
      case 0x60, 0x2018, 0x2019: Mark.apostrophe
      case 0x2013: Mark.dash
      default: value
      }
    }
    var result: [UInt32] = []
    result.reserveCapacity(simple.count)
    var place = 0
    while place < simple.count {
      let value = simple[place]
      let isTwice = place + 1 < simple.count && simple[place + 1] == value
      if value == 0x201C || value == 0x201D || (value == Mark.apostrophe && isTwice) {
        result += [0x20, Mark.quote, 0x20]
        place += value == Mark.apostrophe ? 2 : 1
      } else {
        result.append(value)
        place += value == Mark.dash && isTwice ? 2 : 1
      }
    }
    return result
  }

  /// `don't` is `don 't`; other apostrophes are words.
  private static func splittingContractions(_ line: [UInt32]) -> [UInt32] {
    let apart: [UInt32] = [0x20, Mark.apostrophe, 0x20]
    let right: [UInt32] = [0x20, Mark.apostrophe]
    func isOther(_ value: UInt32) -> Bool { !isLetter(value) }
    func isNeither(_ value: UInt32) -> Bool { !isAlphanumeric(value) }
    var line = split(line, isOther, at: Mark.apostrophe, isOther, into: apart)
    line = split(line, isNeither, at: Mark.apostrophe, isLetter, into: apart)
    line = split(line, isLetter, at: Mark.apostrophe, isOther, into: apart)
    line = split(line, isLetter, at: Mark.apostrophe, isLetter, into: right)
    return split(line, isDigit, at: Mark.apostrophe, { $0 == 0x73 }, into: right)
  }

  /// A dot at a word's end becomes a word, unless it belongs to an abbreviation; `U.S.` is `US`.
  private func splittingDots(_ line: [UInt32]) -> [UInt32] {
    let words = line.split(whereSeparator: Self.isDelimiter)
    var result: [UInt32] = []
    result.reserveCapacity(line.count)
    for (place, word) in words.enumerated() {
      let next = place + 1 < words.count ? words[place + 1].first : nil
      if word.count > 1, word.last == Mark.dot {
        let stem = word.dropLast()
        if stem.contains(Mark.dot), stem.contains(where: Self.isLetter) {
          result += word.filter { $0 != Mark.dot }
        } else if prefixes.keepsDot(Self.text(stem), before: next) {
          result += word
        } else {
          result += stem
          result += [0x20, Mark.dot]
        }
      } else {
        result += word
      }
      result.append(0x20)
    }
    return result
  }

  /// Dots that were joined, spaces and letters as they are to be.
  private func finished(_ line: [UInt32]) -> [String] {
    var text = String.UnicodeScalarView()
    for value in line.trimming({ Self.isSpace($0) || $0 <= 0x20 }) {
      if value >= Mark.dots {
        for _ in 0..<value - Mark.dots { text.append(".") }
      } else if let scalar = Unicode.Scalar(value) {
        text.append(
          contentsOf: (Self.isSpace(value) ? " " : scalar.properties.lowercaseMapping).unicodeScalars)
      }
    }
    return text.split { Self.isDelimiter($0.value) }.map { String($0) }
  }

  private static func text(_ values: ArraySlice<UInt32>) -> String {
    var text = String.UnicodeScalarView()
    for value in values { Unicode.Scalar(value).map { text.append($0) } }
    return String(text)
  }
}

/// Words after which a dot ends no sentence, as METEOR's list has them.
struct NonbreakingPrefixes: Sendable {
  /// Words, and whether that holds before numbers only.
  private var onlyBeforeNumbers: [ExactName: Bool] = [:]

  /// - Parameter lines: a word a line, some followed by `#NUMERIC_ONLY#`; lines that begin with `#` are comments.
  init(lines: [ArraySlice<UInt8>]) {
    for line in lines {
      let words = line.split { $0 <= 0x20 }
      guard let word = words.first, word.first != UInt8(ascii: "#") else { continue }
      let isForNumbers = words.count > 1 && words[1].elementsEqual("#NUMERIC_ONLY#".utf8)
      onlyBeforeNumbers[ExactName(String(decoding: word, as: UTF8.self))] = isForNumbers
    }
  }

  /// Whether a dot after `word` stays at it.
  /// - Parameter next: the first character of the next word.
  func keepsDot(_ word: String, before next: UInt32?) -> Bool {
    // What goes on in small letters is no new sentence.
    if let next, (0x61...0x7A).contains(next) { return true }
    guard let isForNumbers = onlyBeforeNumbers[ExactName(word)] else { return false }
    return !isForNumbers || next.map { (0x30...0x39).contains($0) } == true
  }
}

extension Array {
  /// Without what fulfils the condition at both ends.
  fileprivate func trimming(_ isTrimmed: (Element) -> Bool) -> ArraySlice<Element> {
    guard let first = firstIndex(where: { !isTrimmed($0) }) else { return [] }
    let last = lastIndex { !isTrimmed($0) } ?? first
    return self[first...last]
  }
}
