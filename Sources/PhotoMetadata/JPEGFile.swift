/// The segments of a JPEG file before its entropy-coded data.
struct JPEGFile {
  /// A marker with what belongs to it.
  struct Segment {
    let marker: UInt8
    /// From the marker, and bytes that fill up before it, to its end.
    let whole: Range<Int>
    /// What is behind the length.
    let payload: Range<Int>
  }

  private let bytes: UnsafeRawBufferPointer
  private let segments: [Segment]
  /// Where the first scan begins.
  private let scan: Int

  private static let (app0, app1, app2, app13): (UInt8, UInt8, UInt8, UInt8) = (0xE0, 0xE1, 0xE2, 0xED)
  private static let exif = Array("Exif\0\0".utf8)
  private static let xmp = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
  private static let photoshop = Array("Photoshop 3.0\0".utf8)
  private static let pictures = Array("MPF\0".utf8)
  /// The most bytes behind a segment's length.
  private static let largestPayload = 0xFFFF - 2

  /// Whether a file that begins so is one.
  static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.holds([0xFF, 0xD8, 0xFF], at: 0) }

  /// Reads the segments.
  /// - Throws: `MetadataError`
  init(_ bytes: UnsafeRawBufferPointer) throws(MetadataError) {
    var (segments, place): ([Segment], Int) = ([], 2)
    while true {
      let start = place
      while place + 1 < bytes.count, bytes[place] == 0xFF, bytes[place + 1] == 0xFF { place += 1 }
      guard place + 4 <= bytes.count, bytes[place] == 0xFF else {
        throw MetadataError("JPEG", "byte \(place): expected a marker, found none")
      }
      let marker = bytes[place + 1]
      if marker == 0xDA {
        scan = start
        break
      }
      let length = bytes.big16(place + 2)
      guard marker >= 0xC0, !(0xD0...0xD9).contains(marker), length >= 2, place + 2 + length <= bytes.count
      else { throw MetadataError("JPEG", "byte \(place): expected a segment before the picture, found none") }
      let end = place + 2 + length
      segments.append(Segment(marker: marker, whole: start..<end, payload: place + 4..<end))
      place = end
    }
    self.segments = segments
    self.bytes = bytes
  }

  private func holds(_ segment: Segment, _ marker: UInt8, _ signature: [UInt8]) -> Bool {
    segment.marker == marker && segment.payload.count >= signature.count
      && bytes.holds(signature, at: segment.payload.lowerBound)
  }

  private var packet: (segment: Segment, bytes: [UInt8])? {
    guard let segment = segments.first(where: { holds($0, Self.app1, Self.xmp) }) else { return nil }
    var packet = Array(bytes[segment.payload].dropFirst(Self.xmp.count))
    while packet.last == 0 { packet.removeLast() }
    return (segment, packet)
  }

  /// Photoshop's resources, which may be spread over segments.
  private var resources: PhotoshopResources {
    get throws(MetadataError) {
      try PhotoshopResources(
        segments.filter { holds($0, Self.app13, Self.photoshop) }
          .flatMap { bytes[$0.payload].dropFirst(Self.photoshop.count) })
    }
  }

  /// What XMP, or else IPTC, says of the photo; nil: nothing.
  /// - Throws: `MetadataError`
  var description: String? {
    get throws(MetadataError) {
      if let packet, let text = try XMPPacket(packet.bytes).description { return text }
      return try resources.record.caption
    }
  }

  /// The file with a description in XMP and IPTC; from the first scan on, and of other metadata, nothing changes.
  /// - Throws: `MetadataError`
  func describing(_ text: String) throws(MetadataError) -> [PhotoPart] {
    let old = packet
    let xmp = try XMPPacket.describing(text, old?.bytes)
    var resources = try resources
    var record = try resources.record
    try record.setCaption(text)
    resources.set(record)
    let iptc = Self.segments(Self.app13, Self.photoshop, resources.bytes)
    guard xmp.count + Self.xmp.count <= Self.largestPayload else {
      throw MetadataError("XMP", "\(xmp.count) bytes are more than a segment of a JPEG takes")
    }
    let xmpSegment = Self.segments(Self.app1, Self.xmp, xmp)
    // Behind JFIF and Exif, which come first.
    let front =
      segments.firstIndex { !($0.marker == Self.app0 || holds($0, Self.app1, Self.exif)) } ?? segments.count
    let xmpPlace = old.flatMap { old in segments.firstIndex { $0.whole == old.segment.whole } }
    let iptcPlace = segments.firstIndex { holds($0, Self.app13, Self.photoshop) }
    var parts = [PhotoPart.kept(0..<2)]
    for place in 0...segments.count {
      if place == xmpPlace ?? front { parts.append(.new(xmpSegment)) }
      if place == iptcPlace ?? (xmpPlace.map { $0 + 1 } ?? front) { parts.append(.new(iptc)) }
      guard place < segments.count, place != xmpPlace else { continue }
      let segment = segments[place]
      if !holds(segment, Self.app13, Self.photoshop) { parts.append(.kept(segment.whole)) }
    }
    parts.append(.kept(scan..<bytes.count))
    return try movingPictures(parts)
  }

  /// As many segments as the payload needs, each of which begins with the signature.
  private static func segments(_ marker: UInt8, _ signature: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    let largest = largestPayload - signature.count
    return stride(from: 0, to: max(1, payload.count), by: largest).flatMap { start -> [UInt8] in
      let piece = payload[start..<min(payload.count, start + largest)]
      return [0xFF, marker] + bigEndian(2 + signature.count + piece.count, bytes: 2) + signature + piece
    }
  }

  /// The parts, with the index of further pictures (CIPA's Multi-Picture Format), where there is one, set right: they lie
  /// behind the first, so many bytes from their index.
  private func movingPictures(_ parts: [PhotoPart]) throws(MetadataError) -> [PhotoPart] {
    guard let segment = segments.first(where: { holds($0, Self.app2, Self.pictures) }) else { return parts }
    func size(_ parts: some Sequence<PhotoPart>) -> Int {
      parts.reduce(0) { sum, part in
        switch part {
        case .kept(let range): sum + range.count
        case .new(let bytes): sum + bytes.count
        }
      }
    }
    guard let place = parts.firstIndex(of: .kept(segment.whole)) else { return parts }
    let growth = size(parts) - bytes.count
    let before = size(parts[..<place]) - segment.whole.lowerBound
    var index = try PictureIndex(Array(bytes[segment.payload].dropFirst(Self.pictures.count)))
    try index.move(first: growth, others: growth - before)
    var parts = parts
    parts[place] = .new(
      Array(bytes[segment.whole.lowerBound..<segment.payload.lowerBound]) + Self.pictures + index.bytes)
    return parts
  }
}
