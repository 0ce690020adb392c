internal import Foundation

/// A header's value with parameters, as `form-data; name="photo"`.
package struct HeaderValue {
  /// In lower case.
  package let value: String
  /// By their names in lower case; of several, the first counts.
  package private(set) var parameters: [String: String] = [:]

  package init(_ text: String) {
    var pieces: [String] = [""]
    var (isQuoted, isEscaped) = (false, false)
    for character in text.unicodeScalars {
      if isEscaped {
        pieces[pieces.count - 1].unicodeScalars.append(character)
        isEscaped = false
      } else if isQuoted, character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if character == ";", !isQuoted {
        pieces.append("")
      } else {
        pieces[pieces.count - 1].unicodeScalars.append(character)
      }
    }
    value = pieces[0].trimmingCharacters(in: .whitespaces).lowercased()
    for piece in pieces.dropFirst() {
      // By scalars: to a Character an equals sign with an accent is none.
      let scalars = piece.unicodeScalars
      guard let equals = scalars.firstIndex(of: "=") else { continue }
      let name = String(scalars[..<equals]).trimmingCharacters(in: .whitespaces).lowercased()
      let value = String(scalars[scalars.index(after: equals)...]).trimmingCharacters(in: .whitespaces)
      if parameters[name] == nil { parameters[name] = value }
    }
  }
}
