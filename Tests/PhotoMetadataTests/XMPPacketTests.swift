import Testing

@testable import PhotoMetadata

/// Says why tests of XML are skipped.
let xmlCondition: Comment = "needs the library expat (Debian: libexpat1)"

@Suite(.enabled(if: XMPPacket.isAvailable, xmlCondition)) struct XMPPacketTests {
  private func packet(_ text: String) throws -> XMPPacket { try XMPPacket(Array(text.utf8)) }
  private func text(_ packet: XMPPacket) -> String { String(decoding: packet.bytes, as: UTF8.self) }

  /// As darktable, digiKam and Lightroom write them: prefixes of their own, and much else.
  private static let foreign = """
    \u{FEFF}<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>
    <!-- mine -->
    <x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
     <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <r:Description r:about="uuid:1&amp;2" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating='3'>
       <xmp:Label>a &lt; b</xmp:Label>PROPERTY
      </r:Description>
     </r:RDF>
    </x:xmpmeta>
    <?xpacket end="w"?>

    """

  private static let property = """
    <d:description xmlns:d="http://purl.org/dc/elements/1.1/"><r:Alt>\
    <r:li xml:lang="de">ein Hund</r:li><r:li xml:lang="x-default">old &amp; tired</r:li></r:Alt></d:description>
    """

  @Test(arguments: [true, false]) func aNewPacketSaysIt(embedded: Bool) throws {
    for caption in ["a dog runs", "<b> & \"c\" ]]> 'd'", "一只狗 🐕", " two  spaces "] {
      let packet = try XMPPacket(description: caption, embedded: embedded)
      #expect(packet.description == caption)
      #expect(try XMPPacket(packet.bytes) == packet)
      #expect(text(packet).hasPrefix(embedded ? "<?xpacket begin=\"\u{FEFF}\"" : "<?xml "))
    }
  }

  /// All but what is put in stays byte for byte.
  @Test func whatIsThereStays() throws {
    let without = Self.foreign.replacingOccurrences(of: "PROPERTY", with: "")
    var packet = try packet(without)
    #expect(packet.description == nil)
    try packet.setDescription("a dog & a cat")
    #expect(packet.description == "a dog & a cat")
    let end = try #require(without.range(of: "</r:RDF>"))
    #expect(
      text(packet).hasPrefix(without[..<end.lowerBound]) && text(packet).hasSuffix(without[end.lowerBound...])
    )
    #expect(text(packet).contains("rdf:about=\"uuid:1&amp;2\""))
    // Again: then it is replaced where it is.
    let once = text(packet)
    try packet.setDescription("other")
    #expect(text(packet) == once.replacingOccurrences(of: "a dog &amp; a cat", with: "other"))
  }

  @Test func otherLanguagesStay() throws {
    let before = Self.foreign.replacingOccurrences(of: "PROPERTY", with: Self.property)
    var packet = try packet(before)
    #expect(packet.description == "old & tired")
    try packet.setDescription("new")
    #expect(text(packet) == before.replacingOccurrences(of: "old &amp; tired", with: "new"))
    // Without one in the default language that of another counts, and the default is put before it.
    let german = Self.property.replacingOccurrences(of: "x-default", with: "en")
    var other = try self.packet(Self.foreign.replacingOccurrences(of: "PROPERTY", with: german))
    #expect(other.description == "ein Hund")
    try other.setDescription("new")
    #expect(
      other.description == "new" && text(other).contains("ein Hund")
        && text(other).contains("old &amp; tired"))
  }

  /// Empty elements, blanks, plain text, lists that are no alternatives, and the same property twice.
  @Test(arguments: [
    "<d:description xmlns:d='http://purl.org/dc/elements/1.1/'/>",
    "<d:description xmlns:d='http://purl.org/dc/elements/1.1/'>  </d:description>",
    "<description xmlns='http://purl.org/dc/elements/1.1/'>plain</description>",
    "<d:description xmlns:d='http://purl.org/dc/elements/1.1/'><r:Alt/></d:description>",
    "<d:description xmlns:d='http://purl.org/dc/elements/1.1/'><r:Alt><r:li xml:lang='x-default'/></r:Alt></d:description>",
    "<d:description xmlns:d='http://purl.org/dc/elements/1.1/'><r:Bag><r:li>x</r:li><r:li>y</r:li></r:Bag></d:description>",
    "<d:description xmlns:d='http://purl.org/dc/elements/1.1/'><Alt xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><li>x</li></Alt></d:description>",
    property + property,
  ]) func oddPropertiesAreReplaced(property: String) throws {
    var packet = try packet(Self.foreign.replacingOccurrences(of: "PROPERTY", with: property))
    try packet.setDescription("a dog")
    #expect(packet.description == "a dog" && text(packet).contains("xmp:Rating='3'"))
    #expect(text(packet).components(separatedBy: "description>").count == 2 + 0 || property.contains("Alt"))
    #expect(text(packet).contains("<xmp:Label>a &lt; b</xmp:Label>"))
  }

  @Test func anEmptyRDFIsFilled() throws {
    var packet = try packet("<R:RDF xmlns:R='http://www.w3.org/1999/02/22-rdf-syntax-ns#' />")
    try packet.setDescription("a dog")
    #expect(packet.description == "a dog")
  }

  /// What XML has no characters for.
  @Test func controlsBecomeQuestionMarks() throws {
    let packet = try XMPPacket(description: "a\u{1B}[31m\u{0}b\u{FFFF}c\rd", embedded: false)
    #expect(packet.description == "a?[31m?b?c?d")
  }

  /// Each is one error, and nothing is computed, fetched or kept for it.
  @Test(arguments: [
    ("", "no element found"), ("photo", "syntax error"), ("<a><b></a>", "mismatched tag"),
    ("<a/>", "expected rdf:RDF"), ("<x:a/>", "prefix"), ("<a>&nbsp;</a>", "undefined entity"),
    ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "found the encoding ISO-8859-1"),
    (
      "<!DOCTYPE a [<!ENTITY b \"lol\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>",
      "line 1: a document type declaration"
    ),
    ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "a document type declaration"),
    (String(repeating: "<a>", count: 100_000), "at most 200 elements"),
    ("<a>\u{0}</a>", "not well-formed"),
    (
      "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><r:Description xmlns:d='http://purl.org/dc/elements/1.1/' d:description='a'/></r:RDF>",
      "is an attribute"
    ),
  ]) func hostileXMLIsRefused(xml: String, message: String) {
    let error = #expect(throws: MetadataError.self) {
      var packet = try packet(xml)
      try packet.setDescription("a dog")
    }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test func largeAndForeignEncodingsAreRefused() {
    let large = [UInt8](repeating: 0x20, count: XMPPacket.largest + 1)
    #expect(throws: MetadataError("XMP", "expected at most 16777216 bytes, found 16777217")) {
      try XMPPacket(large)
    }
    #expect(throws: MetadataError.self) {
      try XMPPacket([0xFF, 0xFE] + "<a/>".utf16.flatMap { [UInt8($0), 0] })
    }
    #expect(throws: MetadataError.self) { try XMPPacket(Array("<a>".utf8) + [0xE9] + Array("</a>".utf8)) }
  }
}
