internal import Foundation
internal import Glibc
internal import Support
internal import Tensors

/// Rows of bytes about many images in one file, filled in any order, over several runs if need be.
///
/// The file is safetensors, so that any program can read it at any time: the rows [N, width]; `status` U8 [N], 0 not there
/// yet, 1 done, 2 the image can't be read; `stamps` U64 [N, 4], the size, times of modification and of change in
/// nanoseconds, and fingerprint of the image; metadata `key` (what made the rows) and `names` (a JSON list, one name a
/// row). A row's status is written after the row has reached the disk. Not for two threads at once.
///
/// Rows whose image has another content than when they were made count as missing, and so do rows that are damaged. Files
/// of earlier versions have no stamps: there a row is as good as its image is older than the file.
final class CachedRows {
  /// What a row is made of.
  struct Kind {
    /// The tensor's name.
    let tensor: String
    /// The types that its scalars may have, as safetensors calls them: first the one that is wanted.
    let types: [String]
    /// Scalars in a row, and bytes in one of them.
    let width, scalarSize: Int

    var rowSize: Int { width * scalarSize }
  }

  let path: String
  let names: [String]
  let key: String
  let files: [String]?
  let kind: Kind
  /// The file as it is mapped.
  let file: SafetensorsFile
  /// What was found out of date or damaged, for people.
  private(set) var warnings: [String] = []

  private let descriptor: Int32
  private let stamps: ImageStamps
  private let rowsOffset, statusOffset: Int
  private var statuses: [UInt8]
  /// Rows whose status is not written yet.
  private var unmarked: [Int] = []
  /// Whether no other process has the file.
  private let isAlone: Bool

  /// Opens the file, or creates it at its full size when there is none. Rows count once `check` has looked at them.
  /// - Throws: `MapCacheError` when the file can't be read or made, is something else, or holds rows of another key or of
  ///   other images.
  init(
    path: String, key: String, names: [String], files: [String]?, kind: Kind
  ) throws(MapCacheError) {
    precondition(files.map { $0.count == names.count } ?? true)
    self.path = path
    self.key = key
    self.files = files
    self.names = names
    self.kind = kind
    if access(path, F_OK) != 0 { try Self.create(path, key: key, names: names, kind) }
    descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(FileError(path: path, action: "open", errno: errno)) }
    do throws(MapCacheError) {
      isAlone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
      let written: FileStamp?
      do {
        // The file that is locked, whatever lies at the path by now.
        let mapped = try MappedFile(path: path, descriptor: descriptor)
        written = mapped.stamp
        file = try SafetensorsFile(mapped)
      } catch { throw .notACache(path: path, reason: "\(error)") }
      guard let rows = file.entries[kind.tensor], let status = file.entries["status"],
        kind.types.contains(rows.typeName), status.typeName == "U8", rows.shape.rank == 2,
        status.shape == [rows.shape[0]], let foundKey = file.metadata["key"]
      else { throw .notACache(path: path, reason: "expected tensors \(kind.tensor) and status and a key") }
      guard foundKey == key else { throw .otherKey(path: path, expected: key, found: foundKey) }
      guard rows.typeName == kind.types[0] else {
        let name = { (type: String) in "\(key) as \(type)" }
        throw .otherKey(path: path, expected: name(kind.types[0]), found: name(rows.typeName))
      }
      guard rows.shape == [names.count, kind.width],
        Self.names(in: file)?.map(ExactName.init) == names.map(ExactName.init)
      else {
        throw .otherRows(path: path, expected: [names.count, kind.width], found: rows.shape)
      }
      (rowsOffset, statusOffset) = (rows.offset, status.offset)
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
      stamps = try ImageStamps(
        descriptor, path: path, offset: place?.offset, files: files, written: written, renews: isAlone)
      self.statuses = statuses
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Withdraws rows whose image has changed, and damaged ones.
  /// - Parameters:
  ///   - damage: what those are, for people.
  ///   - isFilledElsewhere: whether another process makes what rows are missing; here they stay so.
  ///   - isSound: whether a row is not damaged.
  /// - Throws: `MapCacheError.busy` when rows are missing that another process is writing.
  func check(
    damage: String, isFilledElsewhere: Bool = false, _ isSound: (Int) -> Bool
  ) throws(MapCacheError) {
    let done = statuses.indices.filter { statuses[$0] == MapCache.Status.done.rawValue }
    let damaged = done.filter { !isSound($0) }
    var changed: [Int] = []
    for row in done where try stamps.hasChanged(row) { changed.append(row) }
    let withdrawn = Set(damaged).union(changed)
    if !changed.isEmpty {
      let images = changed.count == 1 ? "1 image has" : "\(changed.count) images have"
      warnings.append("\(path): \(images) changed since, computed again")
    }
    if !damaged.isEmpty {
      warnings.append("\(path): \(damaged.count) rows are damaged (\(damage)), computed again")
    }
    for row in withdrawn { statuses[row] = MapCache.Status.missing.rawValue }
    if isFilledElsewhere { return }
    // Complete rows may be read by many at a time.
    guard isAlone || pending.isEmpty else { throw .busy(path: path) }
    // At once: a row that is half written anew must not count.
    for row in withdrawn { try writeStatus(of: row) }
  }

  /// What row `row` holds.
  func status(of row: Int) -> MapCache.Status { MapCache.Status(rawValue: statuses[row]) ?? .missing }

  /// The rows that are not done and worth trying, in order; the failed ones among them.
  var pending: [Int] { statuses.indices.filter { statuses[$0] != MapCache.Status.done.rawValue } }

  /// Reads the first bytes of a row. (Read, not copied from the mapped file: pages of a large one would count as this
  /// process's memory.)
  /// - Returns: whether they could be read.
  func read(_ row: Int, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
    pread(descriptor, bytes.baseAddress, bytes.count, off_t(rowsOffset + row * kind.rowSize)) == bytes.count
  }

  /// Writes a row, or its first bytes; `flush` makes it count.
  func store(_ bytes: UnsafeRawBufferPointer, row: Int) throws(MapCacheError) {
    precondition(names.indices.contains(row) && bytes.count <= kind.rowSize)
    try write(bytes, at: rowsOffset + row * kind.rowSize)
    try stamps.note(row)
    statuses[row] = MapCache.Status.done.rawValue
    unmarked.append(row)
  }

  /// Notes that a row's image can't be read.
  func markFailed(row: Int) {
    statuses[row] = MapCache.Status.failed.rawValue
    unmarked.append(row)
  }

  /// Makes sure that the rows so far are on the disk, then marks them.
  func flush() throws(MapCacheError) {
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
    _ path: String, key: String, names: [String], _ kind: Kind
  ) throws(MapCacheError) {
    do {
      let header = try SafetensorsHeader(
        packed: [
          ("stamps", "U64", 8, [names.count, 4]),
          (kind.tensor, kind.types[0], kind.scalarSize, [names.count, kind.width]),
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

  /// The names that a file gives its rows.
  static func names(in file: SafetensorsFile) -> [String]? {
    file.metadata["names"].flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
  }
}
