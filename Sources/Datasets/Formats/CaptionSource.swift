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
  private let endOfLine: UInt8

  /// - Throws: `DatasetError` when it can't be read or is empty.
  init(path: String, images: String) throws(DatasetError) {
    self.path = path
    self.images = images
    var status = stat()
    isFolder = stat(FileName.path(path), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    guard !isFolder else {
      file = nil
      endOfLine = Lines.feed
      text = UnsafeRawBufferPointer(start: nil, count: 0)[...]
      return
    }
    var file: FileContents
    do { file = try FileContents(path: path) } catch { throw .file(error) }
    let start = file.bytes.prefix(512)
    if let kind = FileKind.name(ofFileThatBegins: start), !["a JSON file", "a text file"].contains(kind) {
      // Nobody keeps a model's weights in a caption file.
      throw .unrecognised(
        path: path, found: kind.replacing(/, as PyTorch saves.*/, with: "; unpack it first"))
    }
    if let utf8 = TextEncoding.utf8(of: file.bytes) { file = FileContents(path: path, bytes: utf8) }
    text = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? file.bytes.dropFirst(3) : file.bytes[...]
    self.file = file
    let head = text.prefix(1 << 16)
    endOfLine =
      head.contains(Lines.feed) || !head.contains(Lines.carriageReturn) ? Lines.feed : Lines.carriageReturn
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
  var lines: Lines { Lines(rest: text, end: endOfLine) }

  /// The lines of a text, without the ends of lines.
  struct Lines: Sequence, IteratorProtocol {
    fileprivate static let feed = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")

    private var rest: Slice<UnsafeRawBufferPointer>
    private let end: UInt8
    private var number = 0

    fileprivate init(rest: Slice<UnsafeRawBufferPointer>, end: UInt8) {
      self.rest = rest
      self.end = end
    }

    /// The next line that holds anything, and its number.
    mutating func next() -> (number: Int, bytes: Slice<UnsafeRawBufferPointer>)? {
      while let line = nextOfAll() {
        if !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 9 }) { return line }
      }
      return nil
    }

    /// The next line, empty or not, and its number.
    mutating func nextOfAll() -> (number: Int, bytes: Slice<UnsafeRawBufferPointer>)? {
      guard !rest.isEmpty else { return nil }
      number += 1
      var line = rest.prefix { $0 != end }
      rest = rest[Swift.min(line.endIndex + 1, rest.endIndex)...]
      if line.last == Self.carriageReturn { line = line.dropLast() }
      return (number, line)
    }
  }
}
