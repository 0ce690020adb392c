internal import Foundation
internal import Glibc
internal import Support

/// A caption file's bytes, or a folder of caption files.
struct CaptionSource {
  /// Where it is.
  let path: String
  /// The folder of the images; empty where none was named.
  let images: String
  /// Whether it is a folder.
  let isFolder: Bool
  /// Its bytes without a byte order mark; none of a folder. Valid while the source lives.
  let text: Slice<UnsafeRawBufferPointer>
  private let file: FileContents?

  /// - Throws: `DatasetError` when it can't be read or is empty.
  init(path: String, images: String) throws(DatasetError) {
    self.path = path
    self.images = images
    var status = stat()
    isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    guard !isFolder else {
      file = nil
      text = UnsafeRawBufferPointer(start: nil, count: 0)[...]
      return
    }
    let file: FileContents
    do { file = try FileContents(path: path) } catch { throw .file(error) }
    guard !file.bytes.isEmpty else { throw .unrecognised(path: path, found: "an empty file") }
    text = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? file.bytes.dropFirst(3) : file.bytes[...]
    self.file = file
  }

  /// The first byte that is no white space.
  var firstByte: UInt8? { text.first { $0 > 0x20 } }

  /// Whether the bytes of `word` are somewhere in the file.
  func contains(_ word: String) -> Bool {
    guard let start = text.base.baseAddress else { return false }
    let data = Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: text.base.count, deallocator: .none)
    return data.range(of: Data(word.utf8)) != nil
  }

  /// Decodes the whole file as JSON; what is wrong with it is said with its place.
  func decodeJSON<Value: Decodable>(_ type: Value.Type) throws(DatasetError) -> Value {
    try withExtendedLifetime(file) { () throws(DatasetError) in
      try Datasets.decodeJSON(type, from: text, path: path)
    }
  }

  /// The lines that hold anything but white space, numbered from 1.
  var lines: Lines { Lines(rest: text) }

  /// The lines of a text, without the ends of lines.
  struct Lines: Sequence, IteratorProtocol {
    fileprivate var rest: Slice<UnsafeRawBufferPointer>
    private var number = 0

    fileprivate init(rest: Slice<UnsafeRawBufferPointer>) { self.rest = rest }

    /// The next line, and its number.
    mutating func next() -> (number: Int, bytes: Slice<UnsafeRawBufferPointer>)? {
      while !rest.isEmpty {
        number += 1
        var line = rest.prefix { $0 != UInt8(ascii: "\n") }
        rest = rest[Swift.min(line.endIndex + 1, rest.endIndex)...]
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        if !line.allSatisfy({ $0 == 0x20 || $0 == 9 }) { return (number, line) }
      }
      return nil
    }
  }
}
