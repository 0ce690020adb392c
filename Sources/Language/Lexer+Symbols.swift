/// The rules for tokens that start with neither a letter nor a digit.
extension Lexer {
  func symbol(at start: Int, into words: inout WordCollector) -> Int {
    let first = byte(start)
    if first >= 0x80 { return unicodeSymbol(at: start, into: &words) }
    switch Unicode.Scalar(first) {
    case "'":
      if byte(start + 1) == first { return start + 2 }
      return quote(at: start, after: start + 1, into: &words)
    case "`", "\"": return start + 1
    case ".", ",", ":", ";", "-", "+", "=":
      if first == UInt8(ascii: "."), run(start) - start > 2 { return run(start) }
      if let end = number(start) ?? smiley(start) {
        addSymbols(start..<end, into: &words)
        return end
      }
      let end = first == UInt8(ascii: "-") ? run(start) : start + 1
      if end - start > 4 || first == UInt8(ascii: "+") || first == UInt8(ascii: "=") {
        words.add(start..<end)
      }
      return end
    case "!", "?":
      var end = start
      while byte(end) == UInt8(ascii: "!") || byte(end) == UInt8(ascii: "?") { end += 1 }
      if end - start > 1 { words.add(start..<end) }
      return end
    case "(", ")", "[", "]", "{", "}":
      let end = telephone(start) ?? start + 1
      addSymbols(start..<end, into: &words)
      return end
    case "#":
      let end = isLetter(start + 1) ? letters(start + 1) : run(start)
      words.add(start..<end)
      return end
    case "@":
      let end = isASCIILetter(start + 1) ? tag(start + 1) : run(start)
      words.add(start..<end)
      return end
    case "*", "_":
      let end = run(start)
      words.add(start..<end)
      return end
    case "&": return ampersand(at: start, into: &words)
    case "<", ">":
      let end = markup(start) ?? (byte(start + 1) == first ? start + 2 : start + 1)
      words.add(start..<end)
      return end
    case "!"..."~":
      words.add(start..<start + 1)
      return start + 1
    default: return start + 1  // White space and control characters.
    }
  }

  private func run(_ start: Int) -> Int {
    var end = start
    while end < text.count, byte(end) == byte(start) { end += 1 }
    return end
  }

  private func tag(_ start: Int) -> Int {
    var end = start
    while isAlphanumeric(end) || byte(end) == UInt8(ascii: "_") { end += 1 }
    return end
  }

  /// A token of several marks, with brackets spelled as the Treebank does.
  private func addSymbols(_ range: Range<Int>, into words: inout WordCollector) {
    let first = byte(range.lowerBound)
    if isDigit(range.upperBound - 1), first != UInt8(ascii: "(") { return words.add(range) }
    var word = ""
    for position in range {
      switch Unicode.Scalar(byte(position)) {
      case "(": word += "-lrb-"
      case ")": word += "-rrb-"
      case "[" where range.count == 1: word += "-lsb-"
      case "]" where range.count == 1: word += "-rsb-"
      case "{": word += "-lcb-"
      case "}": word += "-rcb-"
      case " ": word += "\u{A0}"
      case "\u{C2}": break  // The first byte of a no-break space in a telephone number.
      default: word.unicodeScalars.append(Unicode.Scalar(lower(position)))
      }
    }
    words.add(word)
  }

  /// An apostrophe or single quotation mark: `'s`, `'em`, `'90s`, `'n'`, `'tis`; alone it is punctuation.
  private func quote(at start: Int, after mark: Int, into words: inout WordCollector) -> Int {
    // Behind a typographic apostrophe the Treebank does not mind a letter.
    if let end = suffix(mark) ?? (mark > start + 1 ? suffix(mark, beforeLetters: true) : nil) {
      words.add(contraction: start..<end)
      return end
    }
    if lower(mark) == UInt8(ascii: "n"), let end = apostrophe(mark + 1) {
      words.add(start..<end)
      return end
    }
    for ending: StaticString in ["n", "em", "til", "cause"] where matches(ending, at: mark) {
      let end = mark + ending.utf8CodeUnitCount
      let closed = end == mark + 1 && (byte(end) == UInt8(ascii: ".") || byte(end) == UInt8(ascii: ","))
      if !isLetter(end), !closed {
        words.add(start..<end)
        return end
      }
    }
    for ending: StaticString in ["tis", "twas"] where mark == start + 1 && matches(ending, at: mark) {
      let end = mark + ending.utf8CodeUnitCount
      // 'tisn't is 't is n't.
      if !isLetter(end) || lower(end) == UInt8(ascii: "n") {
        words.add(start..<mark + 1)
        words.add(mark + 1..<end)
        return end
      }
    }
    let decade = digits(mark)
    if decade - mark == 2 {
      if lower(decade) == UInt8(ascii: "s"), !isLetter(decade + 1) {
        words.add(start..<decade + 1)
        return decade + 1
      }
      if isSpaceOrEnd(decade) {
        words.add(start..<decade)
        return decade
      }
    }
    return mark
  }

  private func ampersand(at start: Int, into words: inout WordCollector) -> Int {
    let entities: [(StaticString, String)] = [
      ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", ""), ("&apos;", ""), ("&nbsp;", ""),
      ("&mdash;", ""),
    ]
    for (entity, word) in entities where matches(entity, at: start) {
      if !word.isEmpty { words.add(word) }
      return start + entity.utf8CodeUnitCount
    }
    words.add(start..<start + 1)
    return start + 1
  }

  /// `<b>`, `</b>`, `<br/>`.
  private func markup(_ start: Int) -> Int? {
    guard byte(start) == UInt8(ascii: "<") else { return nil }
    var end = byte(start + 1) == UInt8(ascii: "/") ? start + 2 : start + 1
    guard isASCIILetter(end) else { return nil }
    while !isSpaceOrEnd(end), byte(end) < 0x80, byte(end) != UInt8(ascii: "<"), byte(end) != UInt8(ascii: ">")
    {
      end += 1
    }
    return byte(end) == UInt8(ascii: ">") ? end + 1 : nil
  }

  /// `:)`, `;-(`, `:D`.
  private func smiley(_ start: Int) -> Int? {
    guard [UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "=")].contains(byte(start)) else { return nil }
    let noses = [UInt8(ascii: "-"), UInt8(ascii: "'"), UInt8(ascii: "o")]
    let mouth = noses.contains(byte(start + 1)) ? start + 2 : start + 1
    if byte(mouth) == UInt8(ascii: "(") || byte(mouth) == UInt8(ascii: ")") {
      return isAlphanumeric(mouth + 1) ? nil : mouth + 1
    }
    guard byte(start) == UInt8(ascii: ":") else { return nil }
    if byte(mouth) == UInt8(ascii: "]") { return mouth + 1 }
    let laughs = byte(mouth) == UInt8(ascii: "D") || lower(mouth) == UInt8(ascii: "p")
    return laughs && !isAlphanumeric(mouth + 1) ? mouth + 1 : nil
  }

  private func unicodeSymbol(at start: Int, into words: inout WordCollector) -> Int {
    let (scalar, end) = scalar(start)
    switch scalar.value {
    case 0x2019: return quote(at: start, after: end, into: &words)
    case 0x2018, 0x201C, 0x201D, 0xAB, 0xBB, 0x2039, 0x203A: break  // Quotation marks.
    // Punctuation, radicals and strokes that it does not know.
    case 0x2024, 0x2027, 0x203C, 0x2043, 0x2045...0x205E, 0x2E00...0x2FFB, 0x3003, 0x3004, 0x3008...0x3020,
      0x3030...0x303F,
      0x31C0...0x31E3, 0xFE10...0xFE6B:
      break
    case 0x2012...0x2015, 0x2025, 0x2026, 0x201B, 0xFE58: break  // Dashes, the ellipsis.
    case 0xA2: words.add("cents")
    case 0xA3: words.add("#")
    case 0x20AC: words.add("$")
    case 0xBC: words.add("1/4")
    case 0xBD: words.add("1/2")
    case 0xBE: words.add("3/4")
    case 0x2153: words.add("1/3")
    case 0x2154: words.add("2/3")
    default: if isPrintable(scalar) { words.add(start..<end) }
    }
    return end
  }

  private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.value < 0xFFF0 else { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
      .paragraphSeparator, .letterNumber, .nonspacingMark, .enclosingMark, .spacingMark:
      false
    default: true
    }
  }
}
