internal import Foundation

/// Images that come as text.
package enum EncodedImage {
  /// The file that base64 stands for: by itself, or in a URL that holds it (RFC 2397).
  /// - Parameter place: of the text in the request, for messages.
  /// - Throws: `Problem`. What lies elsewhere is not fetched.
  package static func file(_ text: String, _ place: String) throws(Problem) -> PhotoFile {
    var base64 = Substring(text)
    if text.hasPrefix("data:") {
      guard let comma = text.utf8.firstIndex(of: UInt8(ascii: ",")), text[..<comma].hasSuffix(";base64")
      else {
        throw .bad("\(place): expected a URL data:…;base64,…, found another kind of data")
      }
      base64 = text[text.utf8.index(after: comma)...]
    } else if text.utf8.prefix(32).contains(UInt8(ascii: ":")) {
      throw .bad("\(place): expected base64 or a URL data:image/…;base64,…, found a URL, and none is fetched")
    }
    var data = Data(base64.utf8)
    // Some encoders end lines.
    if data.contains(where: { $0 == 10 || $0 == 13 }) { data.removeAll { $0 == 10 || $0 == 13 } }
    guard let bytes = Data(base64Encoded: data), !bytes.isEmpty else {
      throw .bad("\(place): expected an image in base64, found none")
    }
    return PhotoFile(name: place, bytes: [UInt8](bytes))
  }
}
