/// The start tags of an HTML page, with the places of their bytes: the tokenizer of the HTML standard
/// (https://html.spec.whatwg.org/#tokenization) as far as finding tags needs it. It knows comments, the contents of
/// scripts, styles and other elements without tags in them, and attributes with and without quotes; it reads any bytes,
/// each a few times at most. Pages in UTF-16 have no tags to it. In svg it takes scripts, styles and titles for text too,
/// where the standard sees tags.
struct HTMLTags: Sequence, IteratorProtocol {
  /// A start tag.
  struct Tag {
    /// Its name in lower case.
    let name: String
    /// Where the name ends: attributes may be put there.
    let endOfName: Int
    /// Its attributes in order, of those that come twice the first only: names in lower case.
    let attributes: [(name: String, value: Range<Int>)]

    /// The bytes of an attribute's value as they stand; nil: there is no such attribute.
    func value(of name: String) -> Range<Int>? { attributes.first { $0.name == name }?.value }
  }

  private let bytes: [UInt8]
  private var place = 0
  /// The element whose contents are no tags, until its end tag.
  private var opaque: String?
  private var comment = ScriptComment()

  /// What of a script is in <!-- and -->: another script in there takes its end tag with it (the standard's "script data
  /// double escaped state").
  private struct ScriptComment {
    private var isOpen = false
    private var holdsScript = false

    mutating func begin() { isOpen = true }

    /// Looks for --> between two <.
    mutating func end(in bytes: ArraySlice<UInt8>) {
      guard isOpen else { return }
      var dashes = 0
      for byte in bytes {
        if byte == UInt8(ascii: ">"), dashes >= 2 { (isOpen, holdsScript) = (false, false) }
        dashes = byte == UInt8(ascii: "-") ? dashes + 1 : 0
      }
    }

    /// Whether what begins here is the tag of a script in the comment.
    mutating func isScriptInside(_ isEnd: Bool, _ isStart: Bool) -> Bool {
      if isOpen, isStart { holdsScript = true }
      guard isEnd, holdsScript else { return false }
      holdsScript = false
      return true
    }
  }

  /// Elements whose contents are text up to their end tags.
  private static let opaqueNames: Set<String> = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
  ]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> Tag? {
    while let open = firstIndex(of: UInt8(ascii: "<"), from: place) {
      if let name = opaque {
        if name == "script" { comment.end(in: bytes[place..<open]) }
        place = open + 1
        if name == "script", comment.isScriptInside(isTag("/script", at: place), isTag("script", at: place)) {
          continue
        }
        if isTag("/" + name, at: place) { (opaque, comment) = (nil, ScriptComment()) }
        if bytes[place...].starts(with: Array("!--".utf8)) { comment.begin() }
        continue
      }
      place = open + 1
      guard place < bytes.count else { return nil }
      switch bytes[place] {
      case UInt8(ascii: "!"): skipMarkup()
      case UInt8(ascii: "?"): skip(past: UInt8(ascii: ">"))
      case UInt8(ascii: "/"):
        place += 1
        // An end tag may have attributes, with > in them.
        if place < bytes.count, Self.isLetter(bytes[place]) {
          if tag() == nil { place = bytes.count }
        } else {
          skip(past: UInt8(ascii: ">"))
        }
      case let byte where Self.isLetter(byte):
        guard let tag = tag() else {
          // What the page ends in is no tag.
          place = bytes.count
          return nil
        }
        if tag.name == "plaintext" { place = bytes.count }
        if Self.opaqueNames.contains(tag.name) { opaque = tag.name }
        return tag
      default: break
      }
    }
    place = bytes.count
    return nil
  }

  // MARK: - What stands at `place`

  /// A tag from its name on; nil: the page ends in it.
  private mutating func tag() -> Tag? {
    let name = lowercase(until: { Self.isSpace($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ">") })
    let end = place
    var attributes: [(name: String, value: Range<Int>)] = []
    var seen: Set<String> = []
    while true {
      while place < bytes.count, Self.isSpace(bytes[place]) || bytes[place] == UInt8(ascii: "/") {
        place += 1
      }
      guard place < bytes.count else { return nil }
      if bytes[place] == UInt8(ascii: ">") {
        place += 1
        return Tag(name: name, endOfName: end, attributes: attributes)
      }
      guard let attribute = attribute() else { return nil }
      if seen.insert(attribute.name).inserted { attributes.append(attribute) }
    }
  }

  private mutating func attribute() -> (name: String, value: Range<Int>)? {
    let first = place
    // An equals sign at the beginning belongs to the name.
    let name = lowercase(
      until: {
        Self.isSpace($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "=")
      }, from: first + 1)
    while place < bytes.count, Self.isSpace(bytes[place]) { place += 1 }
    guard place < bytes.count else { return nil }
    guard bytes[place] == UInt8(ascii: "=") else { return (name, place..<place) }
    place += 1
    while place < bytes.count, Self.isSpace(bytes[place]) { place += 1 }
    guard place < bytes.count else { return nil }
    let quote = bytes[place]
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      let start = place + 1
      guard let end = firstIndex(of: quote, from: start) else { return nil }
      place = end + 1
      return (name, start..<end)
    }
    let start = place
    while place < bytes.count, !Self.isSpace(bytes[place]), bytes[place] != UInt8(ascii: ">") { place += 1 }
    return (name, start..<place)
  }

  /// A comment, a DOCTYPE or what is taken for a comment.
  private mutating func skipMarkup() {
    guard bytes[place...].starts(with: Array("!--".utf8)) else { return skip(past: UInt8(ascii: ">")) }
    place += 3
    // <!--> and <!---> are whole comments.
    if bytes[place...].starts(with: Array(">".utf8)) || bytes[place...].starts(with: Array("->".utf8)) {
      return skip(past: UInt8(ascii: ">"))
    }
    while let end = firstIndex(of: UInt8(ascii: ">"), from: place) {
      place = end + 1
      let before = bytes[..<end].suffix(3)
      if before.suffix(2).elementsEqual(Array("--".utf8)) || before.elementsEqual(Array("--!".utf8)) {
        return
      }
    }
    place = bytes.count
  }

  private mutating func skip(past byte: UInt8) {
    place = firstIndex(of: byte, from: place).map { $0 + 1 } ?? bytes.count
  }

  /// Whether a tag of this name begins here, behind its <.
  private func isTag(_ name: String, at place: Int) -> Bool {
    let rest = bytes[place...]
    guard rest.prefix(name.utf8.count).lazy.map(Self.lower).elementsEqual(name.utf8),
      let after = rest.dropFirst(name.utf8.count).first
    else { return false }
    return Self.isSpace(after) || after == UInt8(ascii: "/") || after == UInt8(ascii: ">")
  }

  /// The bytes from `place` to the first that ends them, in lower case; `place` is there then.
  private mutating func lowercase(until isEnd: (UInt8) -> Bool, from first: Int? = nil) -> String {
    let start = place
    place = first ?? place
    while place < bytes.count, !isEnd(bytes[place]) { place += 1 }
    return String(decoding: bytes[start..<place].map(Self.lower), as: UTF8.self)
  }

  private func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    start < bytes.count ? bytes[start...].firstIndex(of: byte) : nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || 0x09...0x0A ~= byte || 0x0C...0x0D ~= byte
  }
  private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= lower(byte) }
  private static func lower(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
