/// Characters written as `&amp;` or `&#38;`.
enum CharacterReferences {
  private static let names: [String: Character] = [
    "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'",
  ]

  /// The text of an attribute's bytes, numbers and the names that addresses need replaced; others stay as they are.
  static func text(_ bytes: ArraySlice<UInt8>) -> String {
    var rest = Substring(String(decoding: bytes, as: UTF8.self))
    var text = ""
    while let start = rest.firstIndex(of: "&") {
      text += rest[..<start]
      rest = rest[start...]
      // No name or number is longer.
      let reference = rest.dropFirst().prefix(10)
      if let end = reference.firstIndex(of: ";"), let character = character(reference[..<end]) {
        text.append(character)
        rest = rest[rest.index(after: end)...]
      } else {
        text.append(rest.removeFirst())
      }
    }
    return text + rest
  }

  private static func character(_ reference: Substring) -> Character? {
    guard reference.first == "#" else { return names[String(reference)] }
    let digits = reference.dropFirst()
    let isHexadecimal = digits.first == "x" || digits.first == "X"
    let number = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
    return number.flatMap { $0 > 0 ? Unicode.Scalar($0) : nil }.map { Character($0) }
  }

  /// A text as the value of an attribute in double quotes, in ASCII.
  static func attribute(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "&": "&amp;"
      case "\"": "&quot;"
      case "<": "&lt;"
      case ">": "&gt;"
      case let scalar where scalar.isASCII && scalar.value >= 0x20: String(scalar)
      default: "&#\(scalar.value);"
      }
    }.joined()
  }
}
