internal import Support
internal import Synchronization

/// The bytes of an HDF5 file, how wide it writes addresses and lengths, and how many bytes of its structures may still be
/// read: structures may point at each other in circles, or many at one.
struct HDF5Bytes: Sendable {
  /// The file.
  let file: MappedFile
  /// What every address is counted from.
  var base = 0
  /// Bytes of an address, and of a length.
  var addressSize = 8
  var lengthSize = 8
  private var budget: Budget

  private final class Budget: Sendable {
    let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }
  }

  init(_ file: MappedFile) {
    self.file = file
    budget = Budget(Self.budget(of: file))
  }

  /// No structure has a reason to be read twice, and paths repeat the names of the groups that they lead through.
  private static func budget(of file: MappedFile) -> Int { 8 * file.bytes.count + 1 << 16 }

  /// The same bytes, to be read once more.
  var again: HDF5Bytes {
    var copy = self
    copy.budget = Budget(Self.budget(of: file))
    return copy
  }

  /// Counts bytes that are about to be read.
  func spend(_ count: Int, at place: Int) throws(WeightFileError) {
    let isLeft = budget.left.withLock { left in
      guard count >= 0, count <= left else { return false }
      left -= count
      return true
    }
    guard isLeft else {
      throw .malformed(
        path: file.path, place: "byte \(place)", expected: "structures that are read once",
        found: "structures that lead to each other again and again")
    }
  }

  /// Reads from a place on, to an end.
  /// - Parameters:
  ///   - count: bytes that may be read; to the file's end unless given.
  ///   - what: for errors.
  func cursor(at place: Int, count: Int? = nil, _ what: String) throws(WeightFileError) -> HDF5Cursor {
    let size = file.bytes.count
    guard place >= 0, place <= size, count.map({ $0 >= 0 && $0 <= size - place }) ?? true else {
      throw .malformed(
        path: file.path, place: "byte \(place)",
        expected: "\(count.map { "\($0) bytes of " } ?? "")\(what) within the file's \(size) bytes",
        found: "its end")
    }
    // What a structure begins with.
    try spend(16, at: place)
    return HDF5Cursor(ByteReader(file, place..<(count.map { place + $0 } ?? size)), self)
  }

  /// Where something is whose address is of the file's own kind; nil where it is nowhere.
  func place(of address: UInt64) -> Int? {
    // All bits set: undefined.
    if address == UInt64.max >> UInt64(64 - 8 * addressSize) { return nil }
    // Beyond any file, so that reading there is refused.
    let (sum, overflows) = (Int(exactly: address) ?? .max).addingReportingOverflow(base)
    return overflows ? .max : sum
  }
}

/// Reads an HDF5 file's structures, one number after the other.
struct HDF5Cursor {
  /// The file, and how it writes addresses.
  let bytes: HDF5Bytes
  private var reader: ByteReader

  init(_ reader: ByteReader, _ bytes: HDF5Bytes) {
    self.reader = reader
    self.bytes = bytes
  }

  /// Where the next byte is.
  var place: Int { reader.place }
  /// Bytes that are left.
  var left: Int { reader.left }

  /// What is wrong here.
  func malformed(_ expected: String, _ found: String) -> WeightFileError { reader.malformed(expected, found) }

  /// What is right, but not done here.
  func refused(_ reason: String) -> WeightFileError {
    .refused(path: bytes.file.path, place: "byte \(place)", reason: reason)
  }

  /// The next byte.
  mutating func byte(_ what: String) throws(WeightFileError) -> Int {
    Int(try reader.integer(what, as: UInt8.self))
  }

  /// The next number of up to 8 bytes.
  mutating func unsigned(_ what: String, size: Int) throws(WeightFileError) -> UInt64 {
    guard (1...8).contains(size) else { throw malformed("a number of 1 to 8 bytes for \(what)", "\(size)") }
    let range = try reader.range(size, of: what)
    return bytes.file.bytes.littleEndian(at: range.lowerBound, size: size)
  }

  /// The next number of up to 8 bytes that counts something.
  mutating func number(_ what: String, size: Int) throws(WeightFileError) -> Int {
    let number = try unsigned(what, size: size)
    guard let count = Int(exactly: number) else { throw malformed("\(what) below 2⁶³", "\(number)") }
    return count
  }

  /// The next length, as wide as this file's are.
  mutating func length(_ what: String) throws(WeightFileError) -> Int {
    try number(what, size: bytes.lengthSize)
  }

  /// Where something is; nil where it is nowhere.
  mutating func address(_ what: String) throws(WeightFileError) -> Int? {
    bytes.place(of: try unsigned(what, size: bytes.addressSize))
  }

  /// Passes over bytes.
  mutating func skip(_ count: Int, _ what: String) throws(WeightFileError) {
    try reader.skip(count, of: what)
  }

  /// The next bytes, where they lie; counted as read.
  mutating func range(_ count: Int, _ what: String) throws(WeightFileError) -> Range<Int> {
    try bytes.spend(max(0, count), at: place)
    return try reader.range(count, of: what)
  }

  /// The next bytes as text, up to the first zero.
  mutating func text(_ count: Int, _ what: String) throws(WeightFileError) -> String {
    let text = bytes.file.bytes[try range(count, what)]
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The four letters that a structure begins with, and its version.
  mutating func signature(_ letters: String, version: Int?) throws(WeightFileError) {
    let start = place
    let found = bytes.file.bytes[try reader.range(4, of: letters)]
    guard found.elementsEqual(letters.utf8) else {
      throw reader.malformed(
        "a structure that begins with \(letters)", "\(String(decoding: found, as: UTF8.self).printable())",
        at: start)
    }
    guard let version else { return }
    let its = try byte("version")
    guard its == version else { throw malformed("\(letters) of version \(version)", "\(its)") }
  }
}

extension UnsafeRawBufferPointer {
  /// A number of `size` bytes, which lie within.
  func littleEndian(at place: Int, size: Int) -> UInt64 {
    var number: UInt64 = 0
    for offset in 0..<size { number |= UInt64(self[place + offset]) << UInt64(8 * offset) }
    return number
  }
}
