internal import Support

/// Reads numbers and texts of a file one after the other, and never past its end.
struct ByteReader {
  /// What is read.
  let bytes: UnsafeRawBufferPointer
  /// Where in it the next byte is.
  private(set) var place: Int
  /// Where it ends: no further than `bytes`.
  let end: Int
  /// What the file is called.
  let path: String
  /// Keeps the memory.
  let file: MappedFile

  /// A part of a mapped file; the whole unless given. The range lies in the file.
  init(_ file: MappedFile, _ range: Range<Int>? = nil) {
    self.file = file
    path = file.path
    bytes = file.bytes
    place = range?.lowerBound ?? 0
    end = range?.upperBound ?? file.bytes.count
    precondition(place >= 0 && end <= bytes.count && place <= end)
  }

  /// Bytes that are left.
  var left: Int { end - place }

  /// Where the next byte is, for messages.
  var placeName: String { "byte \(place)" }

  /// What is wrong here.
  func malformed(_ expected: String, _ found: String, at place: Int? = nil) -> WeightFileError {
    .malformed(path: path, place: "byte \(place ?? self.place)", expected: expected, found: found)
  }

  /// Makes sure that there are so many bytes.
  func need(_ count: Int, of what: String) throws(WeightFileError) {
    guard count >= 0, count <= left else { throw malformed("\(count) bytes of \(what)", "\(left)") }
  }

  /// Goes on at another place of the same bytes.
  mutating func move(to place: Int, for what: String) throws(WeightFileError) {
    guard (0...end).contains(place) else {
      throw malformed("\(what) within the \(end) bytes", "byte \(place)")
    }
    self.place = place
  }

  /// Passes over bytes.
  mutating func skip(_ count: Int, of what: String) throws(WeightFileError) {
    try need(count, of: what)
    place += count
  }

  /// The next number, little-endian.
  mutating func integer<I: FixedWidthInteger>(_ what: String, as type: I.Type = I.self)
    throws(WeightFileError) -> I
  {
    try need(MemoryLayout<I>.size, of: what)
    defer { place += MemoryLayout<I>.size }
    return I(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: I.self))
  }

  /// The next number of IEEE double precision, little-endian.
  mutating func double(_ what: String) throws(WeightFileError) -> Double {
    Double(bitPattern: try integer(what))
  }

  /// The next bytes, where they lie.
  mutating func range(_ count: Int, of what: String) throws(WeightFileError) -> Range<Int> {
    try need(count, of: what)
    defer { place += count }
    return place..<place + count
  }

  /// The next bytes as text; what is no UTF-8 becomes U+FFFD.
  mutating func text(_ count: Int, of what: String) throws(WeightFileError) -> String {
    String(decoding: bytes[try range(count, of: what)], as: UTF8.self)
  }

  /// The next bytes up to a line's end, which is passed over.
  mutating func line(of what: String) throws(WeightFileError) -> Range<Int> {
    guard let end = bytes[place..<end].firstIndex(of: 0x0A) else {
      throw malformed("the end of \(what)", "none")
    }
    defer { place = end + 1 }
    return place..<end
  }
}
