/// What a photo says of itself: `dc:description` of XMP, and IPTC's caption.
public enum PhotoDescription {
  /// The description that a JPEG or PNG file holds; nil where there is none but blanks.
  /// - Throws: `MetadataError`: it is neither, or its metadata are broken.
  public static func embedded(in file: UnsafeRawBufferPointer) throws(MetadataError) -> String? {
    if JPEGFile.matches(file) { return try JPEGFile(file).description }
    if PNGFile.matches(file) { return try PNGFile(file).description }
    throw refusal
  }

  /// The same file with another description: in a JPEG in XMP and IPTC, in a PNG in XMP. Its pixels' bytes and its other
  /// metadata stay.
  /// - Throws: as `embedded`.
  public static func embedding(
    _ text: String, in file: UnsafeRawBufferPointer
  ) throws(MetadataError) -> [PhotoPart] {
    if JPEGFile.matches(file) { return try JPEGFile(file).describing(text) }
    if PNGFile.matches(file) { return try PNGFile(file).describing(text) }
    throw refusal
  }

  private static let refusal = MetadataError(
    "embedded description", "expected a JPEG or PNG file, found another; a side file (XMP) goes with any")
}

extension XMPPacket {
  /// The bytes of a packet for a photo: the one that it has, or a new one, with the description.
  static func describing(_ text: String, _ old: [UInt8]?) throws(MetadataError) -> [UInt8] {
    guard let old else { return try XMPPacket(description: text, embedded: true).bytes }
    var packet = try XMPPacket(old)
    try packet.setDescription(text)
    return packet.bytes
  }
}
