internal import Foundation
internal import Glibc
internal import Kernels
public import Support
public import Tensors

/// Rows of features of many images in one file, filled in any order, over several runs if need be.
///
/// The file is safetensors, so that any program can read it at any time: `features` F32 or F16 [N, width]; `status` U8 [N],
/// 0 not there yet, 1 done, 2 the image can't be read; `stamps` U64 [N, 4], the size, times of modification and of change
/// in nanoseconds, and fingerprint of the image; metadata `key` (what made the features) and `names` (a JSON list, one
/// name a row). A row's status is written after the row has reached the disk. Not for two threads at once.
///
/// Rows whose image has another content than when they were made count as missing, and so do rows that are not finite or
/// absurdly large. Files of earlier versions have no stamps: there a row is as good as its image is older than the file.
public final class MapCache {
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
  /// What made the features.
  public let key: String
  /// The images of the rows, where they are known.
  public let files: [String]?
  /// Scalars in a row.
  public let width: Int
  /// How they are stored: float32, or float16 for maps that are large.
  public let type: StoredType

  /// What was found out of date or damaged when the file was opened, for people.
  public let warnings: [String]

  private let descriptor: Int32
  private let stamps: ImageStamps
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
  ///   - files: the images of the rows, to tell whether they are still those that the features were made of; without
  ///     them it is taken for granted.
  ///   - width: scalars in a row.
  ///   - type: how they are stored; half precision rounds to 11 bits, and what is above 65504 to that.
  /// - Throws: `MapCacheError` when the file can't be read or made, is something else, holds features of
  ///   another key or other rows, or is being written by another process.
  public init(
    path: String, key: String, names: [String], files: [String]? = nil, width: Int,
    type: StoredType = .float32
  ) throws(MapCacheError) {
    precondition(type != .bfloat16, "features are stored as float32 or float16")
    precondition(files.map { $0.count == names.count } ?? true)
    self.path = path
    self.key = key
    self.files = files
    self.names = names
    self.width = width
    self.type = type
    if access(path, F_OK) != 0 { try Self.create(path, key: key, names: names, width: width, type: type) }
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(FileError(path: path, action: "open", errno: errno)) }
    do throws(MapCacheError) {
      let alone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
      let file: SafetensorsFile
      let written: FileStamp?
      do {
        // The file that is locked, whatever lies at the path by now.
        let mapped = try MappedFile(path: path, descriptor: descriptor)
        written = mapped.stamp
        file = try SafetensorsFile(mapped)
      } catch { throw .notACache(path: path, reason: "\(error)") }
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
      let stored: StoredTensor
      do {
        stored = try file.stored("features")
        mapping = type == .float32 ? stored.read() : nil
      } catch {
        throw .notACache(path: path, reason: "\(error)")
      }
      var statuses = [UInt8](repeating: 0, count: names.count)
      let count = names.count
      let opened = descriptor
      let got = statuses.withUnsafeMutableBytes {
        pread(opened, $0.baseAddress, count, off_t(status.offset))
      }
      guard got == count else { throw .file(FileError(path: path, action: "read", errno: errno)) }
      let place = file.entries["stamps"]
      if let place, place.typeName != "U64" || place.shape != [count, 4] {
        throw .notACache(path: path, reason: "expected stamps U64 [\(count), 4]")
      }
      let stamps = try ImageStamps(
        descriptor, path: path, offset: place?.offset, files: files, written: written, renews: alone)
      let done = statuses.indices.filter { statuses[$0] == Status.done.rawValue }
      let damaged = done.filter { !Self.isPlausible($0, stored, width) }
      var changed: [Int] = []
      for row in done where try stamps.hasChanged(row) { changed.append(row) }
      let withdrawn = Set(damaged).union(changed)
      var warnings: [String] = []
      if !changed.isEmpty {
        let images = changed.count == 1 ? "1 image has" : "\(changed.count) images have"
        warnings.append("\(path): \(images) changed since, computed again")
      }
      if !damaged.isEmpty {
        warnings.append("\(path): \(damaged.count) rows are damaged (no finite numbers), computed again")
      }
      for row in withdrawn { statuses[row] = Status.missing.rawValue }
      self.stored = stored
      self.stamps = stamps
      self.statuses = statuses
      self.warnings = warnings
      // Complete features may be read by many at a time.
      guard alone || !statuses.contains(where: { $0 != Status.done.rawValue }) else {
        throw .busy(path: path)
      }
      // At once: a row that is half written anew must not count.
      for row in withdrawn { try writeStatus(of: row) }
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Whether a row holds numbers that a network may give.
  static func isPlausible(_ row: Int, _ stored: StoredTensor, _ width: Int) -> Bool {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, width)) { buffer in
      guard let scalars = buffer.baseAddress else { return false }
      stored.read(row * width..<(row + 1) * width, into: scalars)
      return sumOfSquares(scalars, count: width, on: .cpu) < 1e24
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
  public func store(_ features: UnsafePointer<Float>, row: Int) throws(MapCacheError) {
    precondition(names.indices.contains(row))
    let bytes = width * type.size
    if type == .float32 {
      try write(UnsafeRawBufferPointer(start: features, count: bytes), at: featuresOffset + row * bytes)
    } else {
      let halves = [UInt16](unsafeUninitializedCapacity: width) { buffer, count in
        if let base = buffer.baseAddress { convert(features, count: width, to: .float16, into: base) }
        count = width
      }
      let failure = halves.withUnsafeBytes { half -> MapCacheError? in
        do throws(MapCacheError) {
          try write(half, at: featuresOffset + row * bytes)
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
    }
    try stamps.note(row)
    statuses[row] = Status.done.rawValue
    unmarked.append(row)
  }

  /// Notes that a row's image can't be read.
  public func markFailed(row: Int) {
    statuses[row] = Status.failed.rawValue
    unmarked.append(row)
  }

  /// Makes sure that the rows so far are on the disk, then marks them.
  public func flush() throws(MapCacheError) {
    guard !unmarked.isEmpty else { return }
    guard fdatasync(descriptor) == 0 else {
      throw .file(FileError(path: path, action: "write", errno: errno))
    }
    for row in unmarked { try writeStatus(of: row) }
    unmarked = []
  }

  private func writeStatus(of row: Int) throws(MapCacheError) {
    try withUnsafeBytes(of: statuses[row]) { (bytes) throws(MapCacheError) in
      try write(bytes, at: statusOffset + row)
    }
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(MapCacheError) {
    do { try writeAll(bytes, to: descriptor, at: offset, path: path) } catch { throw .file(error) }
  }

  /// A file of the right size with every row missing, in place only when complete: a full disk is noticed here.
  private static func create(
    _ path: String, key: String, names: [String], width: Int, type: StoredType
  ) throws(MapCacheError) {
    do {
      let header = try SafetensorsHeader(
        packed: [
          ("stamps", "U64", 8, [names.count, 4]),
          ("features", type.rawValue, type.size, [names.count, width]),
          ("status", "U8", 1, [names.count]),
        ], metadata: ["key": key, "names": canonicalJSON(names)])
      // One that another process has made meanwhile stays: both then share it, and its lock.
      _ = try AtomicFile.create(path) { file in
        try file.reserve(header.fileSize)
        try file.write(header.bytes)
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "write", reason: "\(error)"))
    }
  }

  /// What a file of features says that it holds, without a look at the features; nil if it is none.
  public static func contents(of path: String) -> (key: String, names: [String])? {
    guard let file = try? SafetensorsFile(path: path), let key = file.metadata["key"],
      let names = names(in: file)
    else { return nil }
    return (key, names)
  }

  private static func names(in file: SafetensorsFile) -> [String]? {
    file.metadata["names"].flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
  }
}

/// What can be wrong with a feature cache.
public enum MapCacheError: Error, Equatable, CustomStringConvertible {
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
      "\(path): expected features of \(Self.parts(expected, besides: found)), found those of "
        + "\(Self.parts(found, besides: expected)): name another file, or remove this one"
    case .otherRows(let path, let expected, let found):
      "\(path): expected the features \(expected) of these images, found \(found) of others: name another file, or "
        + "remove this one"
    }
  }

  /// What one key has and another has not, for people: a tap, a size, or what is told apart by more than they would read.
  private static func parts(_ key: String, besides other: String) -> String {
    let others = Set(other.split(separator: " "))
    let parts = key.split(separator: " ").filter { !others.contains($0) }.map { part in
      if part.hasPrefix("{") { return "another preprocessing" }
      if part.contains("pool") { return "another network" }
      return part.count == 16 && part.allSatisfy(\.isHexDigit) ? "other weights" : String(part.prefix(40))
    }
    return parts.isEmpty ? "no such kind" : parts.joined(separator: ", ")
  }
}
