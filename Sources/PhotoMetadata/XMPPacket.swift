/// An XMP packet (ISO 16684-1), as XML: the whole of a side file, or what a photo holds of it. What is changed is put into
/// its bytes; all else stays as it was written.
public struct XMPPacket: Equatable, Sendable {
  /// Its bytes, UTF-8.
  public private(set) var bytes: [UInt8]
  private var layout: XMPLayout

  /// Reads a packet.
  /// - Throws: `MetadataError` where it is no XML, or XML without `rdf:RDF`.
  public init(_ bytes: [UInt8]) throws(MetadataError) {
    layout = try XMPLayout(of: bytes)
    self.bytes = bytes
  }

  /// A packet that holds a description.
  /// - Parameter embedded: whether it goes into a photo, between the marks that say so, or stands alone.
  public init(description: String, embedded: Bool) throws(MetadataError) {
    let (begin, end) =
      embedded
      ? ("<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>", "<?xpacket end=\"w\"?>")
      : ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "")
    let xml = """
      \(begin)
      <x:xmpmeta xmlns:x="adobe:ns:meta/">
       <rdf:RDF xmlns:rdf="\(XMPLayout.rdf)">
      \(Self.block(description, about: ""))
       </rdf:RDF>
      </x:xmpmeta>
      \(end)
      """
    try self.init(Array(xml.utf8))
  }

  /// The largest packet that is read, in bytes.
  public static let largest = XMLReader.largest
  /// Whether packets can be read: the library for it is installed.
  public static var isAvailable: Bool { XMLReader.isAvailable }

  /// The text of `dc:description`, in the default language if it is there; nil where there is none but blanks.
  public var description: String? {
    guard let first = layout.descriptions.first else { return nil }
    let item = first.items.first { $0.language == "x-default" } ?? first.items.first
    let text = item?.text ?? first.text
    return text.isBlank ? nil : text
  }

  /// Writes `dc:description` in the default language; in other languages it stays.
  /// - Throws: `MetadataError` where what is there is no such property.
  public mutating func setDescription(_ text: String) throws(MetadataError) {
    guard !layout.hasAttribute else {
      throw MetadataError("XMP", "dc:description is an attribute: expected an element that holds rdf:Alt")
    }
    var edits = layout.descriptions.dropFirst().map { Edit(range: $0.whole, text: "") }
    if let first = layout.descriptions.first {
      edits.append(edit(of: first, text))
    } else {
      edits.append(newBlock(text))
    }
    var changed = bytes
    for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
      changed.replaceSubrange(edit.range, with: edit.text.utf8)
    }
    let packet = try XMPPacket(changed)
    guard packet.description == Self.printed(text) || text.isBlank else {
      throw MetadataError("XMP", "dc:description can't be told apart from what is around it")
    }
    self = packet
  }

  private struct Edit {
    let range: Range<Int>
    let text: String
  }

  private func edit(of property: XMPLayout.Property, _ text: String) -> Edit {
    let prefix = property.alternatives.map { self.prefix(ofTag: $0) } ?? ""
    let item = "<\(prefix)li xml:lang=\"x-default\">\(Self.escaped(text))</\(prefix)li>"
    if let standard = property.items.first(where: { $0.language == "x-default" }) {
      return Edit(range: standard.whole, text: item)
    }
    if let alternatives = property.alternatives, !isEmptyElement(alternatives) {
      return Edit(range: alternatives.upperBound..<alternatives.upperBound, text: item)
    }
    return Edit(range: property.whole, text: Self.property(text))
  }

  private func newBlock(_ text: String) -> Edit {
    let block = "\n" + Self.block(text, about: layout.about) + "\n "
    let tag = layout.rdfTag
    guard isEmptyElement(tag) else {
      return Edit(range: layout.rdfEnd.lowerBound..<layout.rdfEnd.lowerBound, text: block)
    }
    return Edit(range: tag.upperBound - 2..<tag.upperBound, text: ">\(block)</\(prefix(ofTag: tag))RDF>")
  }

  /// Whether a start tag ends in `/>`.
  private func isEmptyElement(_ tag: Range<Int>) -> Bool { bytes[tag].suffix(2).first == UInt8(ascii: "/") }

  /// `rdf:` of `<rdf:Alt>`; nothing of `<Alt>`.
  private func prefix(ofTag tag: Range<Int>) -> String {
    let name = bytes[tag].dropFirst().prefix { !" \t\r\n/>".utf8.contains($0) }
    guard let colon = name.firstIndex(of: UInt8(ascii: ":")) else { return "" }
    return String(decoding: name[...colon], as: UTF8.self)
  }

  private static func block(_ text: String, about: String) -> String {
    """
      <rdf:Description rdf:about="\(escaped(about))" xmlns:rdf="\(XMPLayout.rdf)">
       \(property(text))
      </rdf:Description>
    """
  }

  /// The property with all that it needs, wherever it is put.
  private static func property(_ text: String) -> String {
    "<dc:description xmlns:dc=\"\(XMPLayout.dublinCore)\" xmlns:rdf=\"\(XMPLayout.rdf)\"><rdf:Alt>"
      + "<rdf:li xml:lang=\"x-default\">\(escaped(text))</rdf:li></rdf:Alt></dc:description>"
  }

  /// Text as it is read again: characters that XML has not are question marks.
  private static func printed(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.value {
          case 0x09, 0x0A, 0x20..<0xFFFE, 0x10000...: scalar
          default: "?"
          }
        }))
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in printed(text).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension String {
  /// Whether nothing would be seen of it.
  var isBlank: Bool { unicodeScalars.allSatisfy { $0.properties.isWhitespace || $0.value == 0 } }
}
