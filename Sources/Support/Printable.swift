extension String {
  /// The text as a terminal or a page may show it: what comes from files can't move the cursor, change colours, turn the
  /// direction of writing or begin a line. Controls, line and paragraph separators and marks of direction become
  /// `\u{1B}`, as in Swift; bytes of a file name that are no text `\xFF`.
  /// - Parameters:
  ///   - keepingLines: line feeds stay.
  ///   - keepingBytes: what stands for bytes that are no text stays.
  public func printable(keepingLines: Bool = false, keepingBytes: Bool = false) -> String {
    func isByte(_ scalar: Unicode.Scalar) -> Bool { FileName.escapes.contains(scalar.value) }
    func isKept(_ scalar: Unicode.Scalar) -> Bool {
      if isByte(scalar) { return keepingBytes }
      return !scalar.isUnprintable || (keepingLines && scalar == "\n")
    }
    if unicodeScalars.allSatisfy(isKept) { return self }
    var text = ""
    for scalar in unicodeScalars {
      if isKept(scalar) {
        text.unicodeScalars.append(scalar)
      } else if isByte(scalar) {
        text += "\\x" + String(scalar.value - 0x10FF00, radix: 16, uppercase: true)
      } else {
        text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      }
    }
    return text
  }

  /// JSON that shows the same in a terminal: the same characters, where JSON leaves them as they are, as `\u009b`.
  public var printableJSON: String {
    if unicodeScalars.allSatisfy({ !$0.isUnprintable || $0 == "\n" }) { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar.isUnprintable && scalar != "\n" && scalar.value <= 0xFFFF {
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// The text itself if it is at most `limit` characters long, else its beginning and its end.
  public func shortened(to limit: Int) -> String {
    // Counted in scalars: a letter may carry thousands of accents.
    let count = unicodeScalars.count
    guard count > limit else { return self }
    let tail = limit / 3
    return String(unicodeScalars.prefix(limit - tail)) + " … (\(count) characters) … "
      + String(unicodeScalars.suffix(tail))
  }
}

extension Unicode.Scalar {
  /// Whether it does something to a terminal or to the order of what is around it.
  fileprivate var isUnprintable: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0: true  // C0, DEL and C1
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x206F: true  // direction
    case 0x2028, 0x2029: true  // separators
    case 0xFEFF, 0xFFF9...0xFFFB: true  // without width, and annotations
    default: false
    }
  }
}
