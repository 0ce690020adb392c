import PhotoMetadata

#if canImport(TestSupport)
  import TestSupport
#endif

extension ForeignReader {
  private static let xmpWords = [
    "<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>", "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">",
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">", "<rdf:Description rdf:about=\"\">",
    "<dc:description xmlns:dc=\"http://purl.org/dc/elements/1.1/\">", "<rdf:Alt>",
    "<rdf:li xml:lang=\"x-default\">",
    "</rdf:li>", "</rdf:Alt>", "</dc:description>", "</rdf:Description>", "</rdf:RDF>", "/>", "<!DOCTYPE a",
    "<!ENTITY",
    "<![CDATA[", "]]>", "&amp;", "&#x0;", "xmlns=",
  ]

  private static func file(_ parts: [PhotoPart], of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    parts.flatMap { part -> [UInt8] in
      switch part {
      case .kept(let range): Array(bytes[range])
      case .new(let bytes): bytes
      }
    }
  }

  /// Side files, and packets that photos hold.
  static let xmp = ForeignReader(
    name: "xmp", words: xmpWords,
    seeds: {
      guard XMPPacket.isAvailable else { return [[0x3C]] }
      return try [true, false].map { try XMPPacket(description: "a dog", embedded: $0).bytes }
    },
    read: { bytes, _ in
      guard XMPPacket.isAvailable else { return }
      let packet = outcome { try XMPPacket(Array(bytes)) }
      guard var packet = packet.value else {
        guard packet.error.hasPrefix("XMP: ") else { throw Wrong("refused with: \(packet.error)") }
        return
      }
      let changed = outcome { try packet.setDescription("a cat & <dog>") }
      guard changed.value == nil || packet.description == "a cat & <dog>" else {
        throw Wrong("written it is \(packet.description ?? "not there")")
      }
    })

  /// Descriptions in JPEG and PNG files.
  static let descriptions = ForeignReader(
    name: "descriptions",
    words: xmpWords.map { $0 + "\n" } + [
      "Photoshop 3.0\0", "8BIM\u{4}\u{4}", "http://ns.adobe.com/xap/1.0/\0", "XML:com.adobe.xmp\0", "iTXt",
      "MPF\0MM\0*",
      "Exif\0\0",
    ],
    seeds: {
      let plain = [
        PictureFiles.greyJPEG(width: 40, height: 20, progressive: false),
        PictureFiles.blackPNG(width: 9, height: 5),
      ]
      guard XMPPacket.isAvailable else { return plain }
      return try plain
        + plain.map { photo in
          try photo.withUnsafeBytes { file(try PhotoDescription.embedding("a dog", in: $0), of: $0) }
        }
    },
    read: { bytes, _ in
      guard XMPPacket.isAvailable else { return }
      _ = outcome { try PhotoDescription.embedded(in: bytes) }
      guard let parts = outcome({ try PhotoDescription.embedding("a cat", in: bytes) }).value else { return }
      let described = file(parts, of: bytes)
      try described.withUnsafeBytes { described in
        guard outcome({ try PhotoDescription.embedded(in: described) }).value == "a cat" else {
          throw Wrong("what was put in is not there")
        }
        let again = try PhotoDescription.embedding("a cat", in: described)
        guard file(again, of: described).elementsEqual(described) else {
          throw Wrong("put in again it is another file")
        }
      }
    })
}
