internal import Support

/// Where the picture of an `img` is, by its `src`.
public enum PictureAddress: Sendable, Equatable {
  /// A file: its name relative to the page, or to the root of the site.
  case besidePage(String), belowRoot(String)
  /// On another host, in the page itself, or nowhere.
  case elsewhere

  /// Reads a `src`: without query and fragment, %20 and the like decoded. Addresses with a scheme or a host are elsewhere.
  public init(_ source: String) {
    let text = source.trimmingASCIISpace.prefix { $0 != "?" && $0 != "#" }
    let scheme = text.prefix { $0 != ":" && $0 != "/" }
    guard !text.isEmpty, !text.hasPrefix("//"),
      scheme.endIndex == text.endIndex || text[scheme.endIndex] == "/"
    else {
      self = .elsewhere
      return
    }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), decoded != 0
      {
        bytes.append(decoded)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    let name = FileName.text(bytes)
    self = name.hasPrefix("/") ? .belowRoot(String(name.dropFirst())) : .besidePage(name)
  }
}

extension String {
  fileprivate var trimmingASCIISpace: Substring {
    let isSpace = { (character: Character) in character.isASCII && character.isWhitespace }
    var trimmed = self[...].drop(while: isSpace)
    while let last = trimmed.last, isSpace(last) { trimmed.removeLast() }
    return trimmed
  }
}
