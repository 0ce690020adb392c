/// Writes a zip archive of files that are not packed, each as it is given; the same files give the same bytes.
///
/// Without the extension for large archives: 4 GiB and 65,535 files are the most.
public struct ZipWriter {
  private var directory: [UInt8] = []
  private var count = 0
  private var place = 0
  private let path: String

  /// An archive without files.
  /// - Parameter path: where it goes, for messages.
  public init(path: String) { self.path = path }

  /// Appends a file.
  /// - Parameter pieces: what it consists of.
  /// - Throws: `FileError`, also when the archive gets larger than it can be.
  public mutating func add(
    _ name: String, _ pieces: [UnsafeRawBufferPointer], to file: inout AtomicFile
  ) throws(FileError) {
    let size = pieces.reduce(0) { $0 + $1.count }
    let label = Array(name.utf8)
    let next = place + 30 + label.count + size
    guard next + directory.count + 46 + label.count <= Int(UInt32.max), count < Int(UInt16.max) - 1,
      label.count <= Int(UInt16.max)
    else {
      throw FileError(path: path, action: "write", reason: "more than a zip archive of 4 GiB can hold")
    }
    var checksum = Inflater.emptyChecksum
    for piece in pieces { checksum = Inflater.checksum(piece, after: checksum) }
    // Version 2.0, no flags but that names are UTF-8, not packed, the first of January 1980.
    let common =
      bytes(20, 2) + bytes(0x0800, 2) + bytes(0, 2) + bytes(0, 2) + bytes(0x0021, 2)
      + bytes(Int(checksum), 4) + bytes(size, 4) + bytes(size, 4) + bytes(label.count, 2) + bytes(0, 2)
    try file.write(bytes(0x0403_4B50, 4) + common + label)
    for piece in pieces { try file.write(piece) }
    directory += bytes(0x0201_4B50, 4) + bytes(20, 2) + common + bytes(0, 2) + bytes(0, 2) + bytes(0, 2)
    directory += bytes(0, 4) + bytes(place, 4) + label
    place = next
    count += 1
  }

  /// Appends the directory: the archive is whole.
  public consuming func finish(_ file: inout AtomicFile) throws(FileError) {
    let end =
      bytes(0x0605_4B50, 4) + bytes(0, 2) + bytes(0, 2) + bytes(count, 2) + bytes(count, 2)
      + bytes(directory.count, 4) + bytes(place, 4) + bytes(0, 2)
    try file.write(directory + end)
  }

  /// A number, little-endian.
  private func bytes(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
