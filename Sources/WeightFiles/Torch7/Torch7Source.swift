internal import Foundation
internal import Support

/// The numbers and texts that a Torch 7 file is made of, one after the other: in binary as a little-endian machine's `torch.save`
/// writes them, or in `ascii`, each followed by a space or the end of its line.
struct Torch7Source {
  /// The file's cursor.
  private(set) var reader: ByteReader
  private let file: MappedFile
  /// Whether numbers are digits.
  let isText: Bool
  /// Bytes of what C calls a long on the machine that wrote the file: 8, or 4 where it has 32 bits.
  let longSize: Int

  /// The beginning of a file.
  init(_ file: MappedFile, longSize: Int) {
    self.file = file
    reader = ByteReader(file)
    // What comes first is a kind of value: a small number in four bytes, of which those above are 0, or a digit.
    isText = file.bytes.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    self.longSize = longSize
  }

  /// Where it reads.
  var place: Int { reader.place }
  /// Bytes that are left.
  var left: Int { reader.left }

  /// What is wrong there.
  func malformed(_ expected: String, _ found: String, at place: Int? = nil) -> WeightFileError {
    reader.malformed(expected, found, at: place)
  }

  /// What C calls an int.
  mutating func int(_ what: String) throws(WeightFileError) -> Int {
    if isText { return try digits(what) }
    return Int(try reader.integer(what, as: Int32.self))
  }

  /// What C calls a long.
  mutating func long(_ what: String) throws(WeightFileError) -> Int {
    if isText { return try digits(what) }
    if longSize == 4 { return Int(try reader.integer(what, as: Int32.self)) }
    return Int(try reader.integer(what, as: Int64.self))
  }

  /// A number of double precision.
  mutating func double(_ what: String) throws(WeightFileError) -> Double {
    guard isText else { return try reader.double(what) }
    let start = place
    let word = try self.word(what)
    guard let value = Double(word) else { throw malformed(what, word.printable(), at: start) }
    return value
  }

  /// An int, and as many bytes, which stay where they are.
  mutating func text(_ what: String) throws(WeightFileError) -> Range<Int> {
    let start = place
    let count = try int("the length of \(what)")
    guard count >= 0 else { throw malformed("the length of \(what)", "\(count)", at: start) }
    return try bytes(count, of: what)
  }

  /// So many bytes.
  mutating func bytes(_ count: Int, of what: String) throws(WeightFileError) -> Range<Int> {
    let range = try reader.range(count, of: what)
    if isText && count > 0 { try endLine() }
    return range
  }

  /// The bytes as text; what is no UTF-8 becomes U+FFFD.
  func string(_ range: Range<Int>) -> String { String(decoding: reader.bytes[range], as: UTF8.self) }

  /// So many numbers of a type.
  mutating func storage(_ type: ScalarType, count: Int) throws(WeightFileError) -> Torch7Storage {
    let start = place
    guard count >= 0 else { throw malformed("a count of numbers", "\(count)", at: start) }
    guard isText && type.size > 1 else {
      let size = count.multipliedReportingOverflow(by: type.size)
      guard !size.overflow else { throw malformed("a count of numbers", "\(count)", at: start) }
      return Torch7Storage(
        memory: .file(file), range: try bytes(size.partialValue, of: "numbers"), type: type)
    }
    // A digit and a space each, at least.
    guard count <= (left + 1) / 2 else { throw malformed("\(count) numbers", "\(left) bytes", at: start) }
    var numbers: [UInt8] = []
    numbers.reserveCapacity(4 * count)
    for _ in 0..<count {
      withUnsafeBytes(of: Float(try double("a number")).bitPattern.littleEndian) { numbers += $0 }
    }
    return Torch7Storage(memory: .own(numbers), range: 0..<numbers.count, type: .float32)
  }

  private mutating func digits(_ what: String) throws(WeightFileError) -> Int {
    let start = place
    let word = try self.word(what)
    guard let value = Int(word) else { throw malformed(what, word.printable(), at: start) }
    return value
  }

  /// What is between white space: 40 bytes at most, which no number fills.
  private mutating func word(_ what: String) throws(WeightFileError) -> String {
    func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (9...13).contains(byte) }
    let bytes = reader.bytes
    var start = place
    while start < reader.end, isSpace(bytes[start]) { start += 1 }
    var end = start
    while end < reader.end, end - start <= 40, !isSpace(bytes[end]) { end += 1 }
    guard end > start, end - start <= 40 else {
      throw malformed(what, end == start ? "the end" : "more than 40 bytes", at: start)
    }
    try reader.move(to: end, for: what)
    try endLine()
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func endLine() throws(WeightFileError) {
    if reader.left > 0, reader.bytes[place] == UInt8(ascii: "\n") { try reader.skip(1, of: "a line") }
  }
}
