internal import CZlib

/// Takes bytes apart that deflate has packed, as many at a time as there is room for, by zlib.
public final class Inflater {
  /// What is around the packed bytes.
  public enum Wrapping: Int32 {
    /// Nothing, as in zip archives.
    case bare = -15
    /// zlib's header and checksum, as in PNG and HDF5.
    case zlib = 15
    /// gzip's header and checksum; several files after each other are one.
    case gzip = 31
  }

  /// Why bytes can't be unpacked.
  public struct Damage: Error {
    /// What is wrong.
    public let reason: String
    /// Damage of that kind.
    public init(reason: String) { self.reason = reason }
  }

  /// How many of the packed bytes are taken.
  public private(set) var taken = 0
  private let packed: UnsafeRawBufferPointer
  private let wrapping: Wrapping
  /// zlib keeps its address.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isFinished = false

  /// Begins to take bytes apart.
  /// - Parameter packed: must live as long as this object.
  /// - Throws: `Damage` when there is no memory.
  public init(_ packed: UnsafeRawBufferPointer, _ wrapping: Wrapping) throws(Damage) {
    self.packed = packed
    self.wrapping = wrapping
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard inflateInit2_(stream, wrapping.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw Damage(reason: "out of memory") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Fills `buffer` as far as there are bytes.
  /// - Returns: how many there are; 0 after the last.
  /// - Throws: `Damage`.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Damage) -> Int {
    var count = 0
    while count < buffer.count, !isFinished {
      let given = min(packed.count - taken, 1 << 30)
      let room = min(buffer.count - count, 1 << 30)
      let start = packed.baseAddress.map { $0 + taken }
      stream.pointee.next_in = UnsafeMutableRawPointer(mutating: start)?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(given)
      stream.pointee.next_out = (buffer.baseAddress! + count).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let status = inflate(stream, Z_NO_FLUSH)
      taken += given - Int(stream.pointee.avail_in)
      count += room - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK: break
      case Z_STREAM_END where wrapping == .gzip && taken < packed.count: inflateReset(stream)
      case Z_STREAM_END: isFinished = true
      case Z_BUF_ERROR: throw Damage(reason: "cut short after \(taken) bytes")
      case Z_MEM_ERROR: throw Damage(reason: "out of memory")
      default:
        let detail = stream.pointee.msg.map { String(cString: $0) } ?? "damaged"
        let writer = wrapping == .zlib ? "zlib writes" : "gzip or zip write"
        throw Damage(reason: "not what \(writer), near byte \(taken): \(detail)")
      }
    }
    return count
  }

  /// The checksum that zip archives keep of no bytes.
  static let emptyChecksum: UInt32 = 0

  /// That of bytes, which may come after others.
  static func checksum(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = emptyChecksum) -> UInt32 {
    var sum = UInt(before)
    for start in stride(from: 0, to: bytes.count, by: 1 << 30) {
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + 1 << 30)])
      sum = crc32(sum, part.bindMemory(to: UInt8.self).baseAddress, UInt32(part.count))
    }
    return UInt32(truncatingIfNeeded: sum)
  }
}
