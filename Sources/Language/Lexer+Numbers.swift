/// The rules for tokens of digits. Some hold spaces, which become no-break spaces.
extension Lexer {
  /// `5`, `1,000.50`, `10:30`, `.5`, `-5`; mixed numbers `3 1/2` and `3-1/2`; telephone numbers.
  func number(_ start: Int) -> Int? {
    let unsigned = byte(start) == UInt8(ascii: "-") || byte(start) == UInt8(ascii: "+") ? start + 1 : start
    var end = digits(unsigned)
    while [UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ":")].contains(byte(end)), isDigit(end + 1) {
      end = digits(end + 1)
    }
    if let telephone = telephone(start), telephone > end { return telephone }
    guard end > unsigned else { return nil }
    let whole = digits(start, atMost: 4)
    if whole == end, let fraction = hyphenOrBlank(end), isDigit(fraction) {
      let numerator = digits(fraction, atMost: 4)
      if byte(numerator) == UInt8(ascii: "/"), isDigit(numerator + 1) {
        return digits(numerator + 1, atMost: 4)
      }
    }
    return end
  }

  /// `800 555 1234`, `555-123-4567`, `(555) 123-4567`, `++44 20 7946 0958`.
  func telephone(_ start: Int) -> Int? {
    // All ends of what may stand before the last two groups.
    var heads: [Int]
    if byte(start) == UInt8(ascii: "(") {
      heads = after([start + 1], 2...3).filter { byte($0) == UInt8(ascii: ")") }.map { $0 + 1 }
      heads += heads.compactMap(blank)
    } else {
      var first = start
      while byte(first) == UInt8(ascii: "+"), first < start + 2 { first += 1 }
      heads = after([first], 2...4).compactMap(hyphenOrBlank)
      heads += after(heads, 2...4).compactMap(hyphenOrBlank)
    }
    let middles = after(heads, 3...4)
    return after(middles + middles.compactMap(hyphenOrBlank), 3...5).max()
  }

  /// All ends of as many digits as `counts` allows behind any of `starts`.
  private func after(_ starts: [Int], _ counts: ClosedRange<Int>) -> [Int] {
    starts.flatMap { start in
      let end = digits(start, atMost: counts.upperBound)
      return (start..<end + 1).dropFirst(counts.lowerBound)
    }
  }

  private func hyphenOrBlank(_ position: Int) -> Int? {
    byte(position) == UInt8(ascii: "-") ? position + 1 : blank(position)
  }

  /// The end of a space or no-break space at `position`, if there is one.
  private func blank(_ position: Int) -> Int? {
    if byte(position) == UInt8(ascii: " ") { return position + 1 }
    return byte(position) == 0xC2 && byte(position + 1) == 0xA0 ? position + 2 : nil
  }
}
