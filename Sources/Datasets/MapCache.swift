internal import Kernels
public import Support
public import Tensors

/// Rows of features of many images in one file, filled in any order, over several runs if need be.
///
/// The file is safetensors, so that any program can read it at any time: `features` F32 or F16 [N, width], and what
/// `CachedRows` says of each row. Rows whose image has another content than when they were made count as missing, and so do
/// rows that are not finite or absurdly large. Not for two threads at once.
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

  /// How they are stored: float32, or float16 for maps that are large.
  public let type: StoredType
  private let rows: CachedRows
  private let stored: StoredTensor
  private let mapping: Tensor?

  /// The file.
  public var path: String { rows.path }
  /// The rows' names (N).
  public var names: [String] { rows.names }
  /// What made the features.
  public var key: String { rows.key }
  /// The images of the rows, where they are known.
  public var files: [String]? { rows.files }
  /// Scalars in a row.
  public var width: Int { rows.kind.width }
  /// What was found out of date or damaged when the file was opened, for people.
  public var warnings: [String] { rows.warnings }

  /// Opens the file, or creates it at its full size when there is none.
  /// - Parameters:
  ///   - key: what makes the features; another key means other features.
  ///   - names: the rows.
  ///   - files: the images of the rows, to tell whether they are still those that the features were made of; without
  ///     them it is taken for granted.
  ///   - width: scalars in a row.
  ///   - type: how they are stored; half precision rounds to 11 bits, and what is above 65504 to that.
  ///   - isFilledElsewhere: whether another process makes what rows are missing; here they stay so.
  /// - Throws: `MapCacheError` when the file can't be read or made, is something else, holds features of
  ///   another key or other rows, or is being written by another process.
  public init(
    path: String, key: String, names: [String], files: [String]? = nil, width: Int,
    type: StoredType = .float32, isFilledElsewhere: Bool = false
  ) throws(MapCacheError) {
    precondition(type != .bfloat16, "features are stored as float32 or float16")
    self.type = type
    let other = type == .float32 ? StoredType.float16 : .float32
    rows = try CachedRows(
      path: path, key: key, names: names, files: files,
      kind: .init(
        tensor: "features", types: [type.rawValue, other.rawValue], width: width, scalarSize: type.size))
    do {
      stored = try rows.file.stored("features")
      mapping = type == .float32 ? stored.read() : nil
    } catch {
      throw .notACache(path: path, reason: "\(error)")
    }
    try rows.check(damage: Self.damage, isFilledElsewhere: isFilledElsewhere) { [stored] in
      Self.isPlausible($0, stored, width)
    }
  }

  /// What damaged rows are, for people.
  static let damage = "no finite numbers"

  /// Whether a row holds numbers that a network may give.
  static func isPlausible(_ row: Int, _ stored: StoredTensor, _ width: Int) -> Bool {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, width)) { buffer in
      guard let scalars = buffer.baseAddress else { return false }
      stored.read(row * width..<(row + 1) * width, into: scalars)
      return sumOfSquares(scalars, count: width, on: .cpu) < 1e24
    }
  }

  /// What row `row` holds.
  public func status(of row: Int) -> Status { rows.status(of: row) }

  /// The rows without features that are worth trying, in order; the failed ones among them.
  public var pending: [Int] { rows.pending }

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
    if type == .float32,
      rows.read(row, into: UnsafeMutableRawBufferPointer(start: features, count: width * type.size))
    {
      return
    }
    stored.read(row * width..<(row + 1) * width, into: features)
  }

  /// Writes a row; `flush` makes it count.
  public func store(_ features: UnsafePointer<Float>, row: Int) throws(MapCacheError) {
    let bytes = width * type.size
    guard type != .float32 else {
      return try rows.store(UnsafeRawBufferPointer(start: features, count: bytes), row: row)
    }
    let halves = [UInt16](unsafeUninitializedCapacity: width) { buffer, count in
      if let base = buffer.baseAddress { convert(features, count: width, to: .float16, into: base) }
      count = width
    }
    try halves.span.bytes.withUnsafeBytes { (half) throws(MapCacheError) in try rows.store(half, row: row) }
  }

  /// Notes that a row's image can't be read.
  public func markFailed(row: Int) { rows.markFailed(row: row) }

  /// Makes sure that the rows so far are on the disk, then marks them.
  public func flush() throws(MapCacheError) { try rows.flush() }

  /// What a file of features says that it holds, without a look at the features; nil if it is none.
  public static func contents(of path: String) -> (key: String, names: [String])? {
    guard let file = try? SafetensorsFile(path: path), let key = file.metadata["key"],
      let names = CachedRows.names(in: file)
    else { return nil }
    return (key, names)
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
