internal import Foundation
internal import Glibc
public import Support
public import Tensors

/// Rows of features of many images in one file, filled in any order, over several runs if need be.
///
/// The file is safetensors, so that any program can read it at any time: `features` F32 or F16 [N, width]; `status` U8 [N],
/// 0 not there yet, 1 done, 2 the image can't be read; metadata `key` (what made the features) and `names` (a JSON
/// list, one name a row). A row's status is written after the row has reached the disk. Not for two threads at once.
public final class FeatureCache {
  /// What a row holds.
  public enum Status: UInt8, Sendable {
    /// Nothing yet.
    case missing = 0
    /// Features.
    case done = 1
    /// Nothing: the image can't be read.
    case failed = 2
  }

  /// The file.
  public let path: String
  /// The rows' names (N).
  public let names: [String]
  /// Scalars in a row.
  public let width: Int
  /// How they are stored: float32, or float16 for maps that are large.
  public let type: StoredType

  private let descriptor: Int32
  private let stored: StoredTensor
  private let mapping: Tensor?
  private let featuresOffset, statusOffset: Int
  private var statuses: [UInt8]
  /// Rows whose status is not written yet.
  private var unmarked: [Int] = []

  /// Opens the file, or creates it at its full size when there is none.
  /// - Parameters:
  ///   - key: what makes the features; another key means other features.
  ///   - names: the rows.
  ///   - width: scalars in a row.
  ///   - type: how they are stored; half precision rounds to 11 bits, and what is above 65504 to that.
  /// - Throws: `FeatureCacheError` when the file can't be read or made, is something else, holds features of
  ///   another key or other rows, or is being written by another process.
  public init(
    path: String, key: String, names: [String], width: Int, type: StoredType = .float32
  ) throws(FeatureCacheError) {
    precondition(type != .bfloat16, "features are stored as float32 or float16")
    (self.path, self.names, self.width, self.type) = (path, names, width, type)
    if access(path, F_OK) != 0 { try Self.create(path, key: key, names: names, width: width, type: type) }
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(FileError(path: path, action: "open", errno: errno)) }
    do throws(FeatureCacheError) {
      let alone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
      let file: SafetensorsFile
      do { file = try SafetensorsFile(path: path) } catch { throw .notACache(path: path, reason: "\(error)") }
      guard let features = file.entries["features"], let status = file.entries["status"],
        ["F32", "F16"].contains(features.typeName), status.typeName == "U8", features.shape.rank == 2,
        status.shape == [features.shape[0]], let foundKey = file.metadata["key"]
      else { throw .notACache(path: path, reason: "expected tensors features and status and a key") }
      guard foundKey == key else { throw .otherKey(path: path, expected: key, found: foundKey) }
      guard features.typeName == type.rawValue else {
        let name = { (type: String) in "\(key) as \(type)" }
        throw .otherKey(path: path, expected: name(type.rawValue), found: name(features.typeName))
      }
      guard features.shape == [names.count, width],
        Self.names(in: file)?.map(ExactName.init) == names.map(ExactName.init)
      else {
        throw .otherRows(path: path, expected: [names.count, width], found: features.shape)
      }
      (featuresOffset, statusOffset) = (features.offset, status.offset)
      do {
        stored = try file.stored("features")
        mapping = type == .float32 ? stored.read() : nil
      } catch {
        throw .notACache(path: path, reason: "\(error)")
      }
      statuses = [UInt8](repeating: 0, count: names.count)
      let count = names.count
      let got = statuses.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, count, off_t(status.offset))
      }
      guard got == count else { throw .file(FileError(path: path, action: "read", errno: errno)) }
      // Complete features may be read by many at a time.
      guard alone || pending.isEmpty else { throw .busy(path: path) }
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// What row `row` holds.
  public func status(of row: Int) -> Status { Status(rawValue: statuses[row]) ?? .missing }

  /// The rows without features that are worth trying, in order; the failed ones among them.
  public var pending: [Int] { statuses.indices.filter { statuses[$0] != Status.done.rawValue } }

  /// The features of a row that is done: `width` floats in the mapped file, valid while the cache lives. Of a cache
  /// in float32; `read` serves all.
  public func features(of row: Int) -> UnsafePointer<Float> {
    precondition(status(of: row) == .done, "row \(row) holds no features")
    guard let mapping else { preconditionFailure("features are stored as \(type)") }
    return mapping.pointer + row * width
  }

  /// Copies the features of a row that is done, `width` floats.
  public func read(_ row: Int, into features: UnsafeMutablePointer<Float>) {
    precondition(status(of: row) == .done, "row \(row) holds no features")
    let bytes = width * type.size
    // Read, not copied from the mapped file: pages of a large one would count as this process's memory.
    if type == .float32, pread(descriptor, features, bytes, off_t(featuresOffset + row * bytes)) == bytes {
      return
    }
    stored.read(row * width..<(row + 1) * width, into: features)
  }

  /// Writes a row; `flush` makes it count.
  public func store(_ features: UnsafePointer<Float>, row: Int) throws(FeatureCacheError) {
    precondition(names.indices.contains(row))
    let bytes = width * type.size
    if type == .float32 {
      try write(UnsafeRawBufferPointer(start: features, count: bytes), at: featuresOffset + row * bytes)
    } else {
      let halves = [UInt16](unsafeUninitializedCapacity: width) { buffer, count in
        if let base = buffer.baseAddress { convert(features, count: width, to: .float16, into: base) }
        count = width
      }
      let failure = halves.withUnsafeBytes { half -> FeatureCacheError? in
        do throws(FeatureCacheError) {
          try write(half, at: featuresOffset + row * bytes)
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
    }
    statuses[row] = Status.done.rawValue
    unmarked.append(row)
  }

  /// Notes that a row's image can't be read.
  public func markFailed(row: Int) {
    statuses[row] = Status.failed.rawValue
    unmarked.append(row)
  }

  /// Makes sure that the rows so far are on the disk, then marks them.
  public func flush() throws(FeatureCacheError) {
    guard !unmarked.isEmpty else { return }
    guard fdatasync(descriptor) == 0 else {
      throw .file(FileError(path: path, action: "write", errno: errno))
    }
    for row in unmarked {
      var status = statuses[row]
      let failure = withUnsafeBytes(of: &status) { bytes -> FeatureCacheError? in
        do throws(FeatureCacheError) {
          try write(bytes, at: statusOffset + row)
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
    }
    unmarked = []
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FeatureCacheError) {
    do { try writeAll(bytes, to: descriptor, at: offset, path: path) } catch { throw .file(error) }
  }

  /// A file of the right size with every row missing, in place only when complete: a full disk is noticed here.
  private static func create(
    _ path: String, key: String, names: [String], width: Int, type: StoredType
  ) throws(FeatureCacheError) {
    do {
      let header = try SafetensorsHeader(
        packed: [
          ("features", type.rawValue, type.size, [names.count, width]), ("status", "U8", 1, [names.count]),
        ], metadata: ["key": key, "names": canonicalJSON(names)])
      try AtomicFile.write(to: path) { file in
        try file.reserve(header.fileSize)
        try file.write(header.bytes)
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "write", reason: "\(error)"))
    }
  }

  private static func names(in file: SafetensorsFile) -> [String]? {
    file.metadata["names"].flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
  }
}

/// What can be wrong with a feature cache.
public enum FeatureCacheError: Error, Equatable, CustomStringConvertible {
  /// It can't be read or written.
  case file(FileError)
  /// Another process is writing it.
  case busy(path: String)
  /// The file is something else.
  case notACache(path: String, reason: String)
  /// It holds features that something else made.
  case otherKey(path: String, expected: String, found: String)
  /// It holds other images.
  case otherRows(path: String, expected: Shape, found: Shape)

  /// One line that names the file.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .busy(let path): "\(path): another process is writing it"
    case .notACache(let path, let reason): "\(path): not a feature file: \(reason)"
    case .otherKey(let path, let expected, let found):
      "\(path): expected features of \(expected), found those of \(found)"
    case .otherRows(let path, let expected, let found):
      "\(path): expected the features \(expected) of these images, found \(found) of others"
    }
  }
}
