internal import Glibc

/// The lines of a text file that gzip packed, one after the other: the file is never whole in memory.
public final class GzipLines {
  /// The path it was opened by.
  public let path: String
  /// The number of the line that was read last, from 1 on.
  public private(set) var number = 0
  private let file: MappedFile
  private let inflater: Inflater
  private let longest: Int
  /// Twice `longest` bytes or more; those of `filled` are not yet read.
  private let buffer: UnsafeMutableRawBufferPointer
  private var filled = 0..<0
  private var isAtEnd = false

  /// Opens a file.
  /// - Parameter longest: the most bytes of a line.
  /// - Throws: `FileError` when it can't be opened.
  public init(path: String, longest: Int = 1 << 16) throws(FileError) {
    self.path = path
    self.longest = longest
    file = try MappedFile(path: path)
    do {
      inflater = try Inflater(file.bytes, .gzip)
    } catch {
      throw FileError(path: path, action: "read", reason: error.reason)
    }
    buffer = .allocate(byteCount: max(1 << 17, 2 * longest), alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// The next line without its line feed, or nil after the last; valid until the next call.
  /// - Throws: `FileError` for what is no gzip file, is damaged or has a longer line.
  public func next() throws(FileError) -> UnsafeRawBufferPointer? {
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: buffer[filled])
      if let start = rest.baseAddress, let end = memchr(start, 0x0A, rest.count) {
        let count = UnsafeRawPointer(end) - start
        filled = filled.lowerBound + count + 1..<filled.upperBound
        number += 1
        return UnsafeRawBufferPointer(start: start, count: count)
      }
      if isAtEnd {
        guard !rest.isEmpty else { return nil }
        filled = 0..<0
        number += 1
        return rest
      }
      guard rest.count <= longest else {
        throw FileError(
          path: path, action: "read", reason: "line \(number + 1) has more than \(longest) bytes")
      }
      try fill()
    }
  }

  /// Moves what is left to the beginning and reads on behind it.
  private func fill() throws(FileError) {
    let left = filled.count
    memmove(buffer.baseAddress!, buffer.baseAddress! + filled.lowerBound, left)
    do {
      let count = try inflater.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[left...]))
      isAtEnd = count == 0
      filled = 0..<left + count
    } catch {
      throw FileError(path: path, action: "read", reason: error.reason)
    }
  }
}
