internal import CKernels
internal import Foundation
public import Support

/// What can be wrong with a safetensors file.
public enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// The file can't be read or written.
  case file(FileError)
  /// The bytes are not a whole safetensors file.
  case malformed(path: String, expected: String, found: String)
  /// A tensor is not there.
  case missing(path: String, key: String)
  /// A tensor has another shape than it must have.
  case shape(path: String, key: String, expected: Shape, found: Shape)
  /// A tensor is of a type that can't be read as floats.
  case type(path: String, key: String, found: String)

  /// One line that names the file.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .malformed(let path, let expected, let found):
      "\(path): not a safetensors file: expected \(expected), found \(found)"
    case .missing(let path, let key): "\(path): expected a tensor named \(key), found none"
    case .shape(let path, let key, let expected, let found):
      "\(path): \(key): expected shape \(expected), found \(found)"
    case .type(let path, let key, let found): "\(path): \(key): expected F32, F16 or BF16, found \(found)"
    }
  }
}

/// The number formats that weights are stored in.
public enum StoredType: String, Sendable, Codable {
  /// IEEE single precision.
  case float32 = "F32"
  /// IEEE half precision.
  case float16 = "F16"
  /// bfloat16: the upper half of a float.
  case bfloat16 = "BF16"

  /// Bytes of one scalar.
  public var size: Int { self == .float32 ? 4 : 2 }
}

/// A safetensors file, mapped into memory and checked as a whole when opened.
///
/// Format: 8 bytes little-endian header length, a JSON header of `{name: {dtype, shape, data_offsets}}` and
/// `__metadata__`, then the data (https://github.com/huggingface/safetensors).
public struct SafetensorsFile: Sendable {
  /// One tensor's place in the file.
  public struct Entry: Sendable, Equatable {
    /// The number format, as the file names it.
    public let typeName: String
    /// The extents.
    public let shape: Shape
    /// First byte in the file.
    public let offset: Int
    /// How many bytes it has.
    public let byteCount: Int
  }

  /// The path it was opened by.
  public let path: String
  /// The tensors by name.
  public let entries: [String: Entry]
  /// The file's own description.
  public let metadata: [String: String]
  let file: MappedFile

  /// Opens a file and checks that every tensor lies inside it.
  /// - Throws: `SafetensorsError`; a file that is something else, such as a Git LFS pointer, is called by its name.
  public init(path: String) throws(SafetensorsError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    try self.init(file)
  }

  /// Makes sure that nobody has written into the file since it was opened: its weights would be others than its header
  /// says.
  /// - Throws: `SafetensorsError.file`.
  public func checkUnchanged() throws(SafetensorsError) {
    do { try file.checkUnchanged() } catch { throw .file(error) }
  }

  /// Checks a file that is mapped already.
  /// - Throws: as the other.
  public init(_ file: MappedFile) throws(SafetensorsError) {
    self.file = file
    path = file.path
    let path = path
    func malformed(_ expected: String, _ found: String) -> SafetensorsError {
      .malformed(path: path, expected: expected, found: found)
    }
    let bytes = file.bytes
    // A header's length in bytes begins a true one: no signature but by an absurd size.
    let length = bytes.count >= 8 ? UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) : .max
    if length > UInt64(max(0, bytes.count - 8)), let name = FileKind.name(ofFileThatBegins: bytes) {
      throw malformed("weights", name)
    }
    guard bytes.count >= 8 else { throw malformed("at least 8 bytes", "\(bytes.count)") }
    guard length <= 100_000_000, length <= UInt64(bytes.count - 8) else {
      throw malformed("a header within the file's \(bytes.count) bytes", "a header length of \(length)")
    }
    let header = Data(bytes[8..<(8 + Int(length))])
    guard let object = try? JSONSerialization.jsonObject(with: header) as? [String: Any] else {
      throw malformed("a JSON object as header", "something else")
    }
    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    let start = 8 + Int(length)
    for (name, value) in object {
      if name == "__metadata__" {
        guard let strings = value as? [String: String] else {
          throw malformed("__metadata__ of strings", "other values")
        }
        metadata = strings
        continue
      }
      guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
        let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int]
      else { throw malformed("dtype, shape and data_offsets for \(name)", "something else") }
      guard let size = Self.bytes(perScalarOf: typeName) else {
        throw .type(path: path, key: name, found: typeName)
      }
      var byteCount = size
      for extent in shape {
        let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow else { throw malformed("a shape of \(name) that fits", "\(shape)") }
        byteCount = product
      }
      guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= bytes.count - start,
        offsets[1] - offsets[0] == byteCount
      else {
        throw malformed(
          "\(name) of shape \(shape) in \(byteCount) bytes of the \(bytes.count - start) that follow the header",
          "offsets \(offsets)")
      }
      entries[name] = Entry(
        typeName: typeName, shape: Shape(shape), offset: start + offsets[0], byteCount: byteCount)
    }
    self.entries = entries
    self.metadata = metadata
  }

  /// A tensor's bytes as they are stored.
  public func bytes(of entry: Entry) -> [UInt8] { bytes(0..<entry.byteCount, of: entry) }

  /// Some of them.
  public func bytes(_ range: Range<Int>, of entry: Entry) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= entry.byteCount, "\(range)")
    return Array(file.bytes[entry.offset + range.lowerBound..<entry.offset + range.upperBound])
  }

  private static func bytes(perScalarOf type: String) -> Int? {
    switch type {
    case "F64", "I64", "U64": 8
    case "F32", "I32", "U32": 4
    case "F16", "BF16", "I16", "U16": 2
    case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2": 1
    default: nil
    }
  }

  /// A tensor as 32-bit floats: in the mapped file itself when it is stored so and aligned, else converted.
  /// - Parameter shape: the shape it must have; nil accepts any.
  public func tensor(named key: String, shape: Shape? = nil) throws(SafetensorsError) -> Tensor {
    try stored(key, shape: shape).read()
  }

  /// A tensor to be read later, and all that can be wrong with it found now.
  /// - Parameter shape: the shape it must have; nil accepts any.
  public func stored(_ key: String, shape: Shape? = nil) throws(SafetensorsError) -> StoredTensor {
    guard let entry = entries[key] else { throw .missing(path: path, key: key) }
    if let shape, shape != entry.shape {
      throw .shape(path: path, key: key, expected: shape, found: entry.shape)
    }
    guard let type = StoredType(rawValue: entry.typeName) else {
      throw .type(path: path, key: key, found: entry.typeName)
    }
    return StoredTensor(file: file, entry: entry, type: type)
  }
}

/// A tensor of a mapped file, known to be there and readable.
public struct StoredTensor: Sendable {
  fileprivate let file: MappedFile
  fileprivate let entry: SafetensorsFile.Entry
  /// How its scalars are stored.
  public let type: StoredType

  /// Its extents.
  public var shape: Shape { entry.shape }

  /// Its scalars as 32-bit floats: in the mapped file itself when they are stored so and aligned, else converted.
  public func read() -> Tensor {
    if entry.shape.count == 0 { return Tensor(zeros: entry.shape) }
    let source = file.bytes.baseAddress! + entry.offset
    if type == .float32 && UInt(bitPattern: source) % 4 == 0 {
      return Tensor(shape: entry.shape, file: file, byteOffset: entry.offset)
    }
    var tensor = Tensor(uninitialized: entry.shape)
    read(0..<entry.shape.count, into: tensor.mutablePointer())
    return tensor
  }

  /// Writes some of its scalars, by row-major position, as 32-bit floats.
  public func read(_ range: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= entry.shape.count, "\(range) of \(entry.shape)")
    guard !range.isEmpty else { return }
    withExtendedLifetime(file) {
      let source = file.bytes.baseAddress! + entry.offset + range.lowerBound * type.size
      if type == .float32 {
        UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: range.count * type.size)
      } else {
        Self.convert(source, type, to: destination, count: range.count)
      }
    }
  }

  /// Calls `body` with its scalars where they lie; nil if they are not half precision, or at an odd address.
  public func withHalves<R>(_ body: (UnsafePointer<UInt16>) -> R) -> R? {
    withExtendedLifetime(file) {
      let source = file.bytes.baseAddress! + entry.offset
      guard type == .float16, UInt(bitPattern: source) % 2 == 0 else { return nil }
      return body(source.assumingMemoryBound(to: UInt16.self))
    }
  }

  private static func convert(
    _ source: UnsafeRawPointer, _ type: StoredType, to destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    let kernels = ck_kernels_best()!.pointee
    let convert = type == .float16 ? kernels.half_to_float! : kernels.bfloat_to_float!
    if UInt(bitPattern: source) % 2 == 0 {
      convert(source.assumingMemoryBound(to: UInt16.self), destination, count)
      return
    }
    // Odd offsets are legal, if rare: copy to an aligned place first.
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count) { aligned in
      UnsafeMutableRawPointer(aligned.baseAddress!).copyMemory(from: source, byteCount: count * 2)
      convert(aligned.baseAddress!, destination, count)
    }
  }
}
