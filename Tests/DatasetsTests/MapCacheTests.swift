import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

private let names = ["a.jpg", "b c.jpg", "ü\".jpg"]

private func inFolder(_ body: (String) throws -> Void) throws {
  try withTemporaryFolder { try body($0 + "/features.safetensors") }
}

private func open(_ path: String, key: String = "vgg16", names: [String] = names, width: Int = 2) throws
  -> MapCache
{
  try MapCache(path: path, key: key, names: names, width: width)
}

private func failure(_ body: () throws -> Void) -> MapCacheError? {
  do {
    try body()
    return nil
  } catch { return error as? MapCacheError }
}

@Test func rowsSurviveAndTheRestIsPending() throws {
  try inFolder { path in
    do {
      let cache = try open(path)
      #expect(cache.pending == [0, 1, 2])
      try cache.store([1.5, -2], row: 2)
      cache.markFailed(row: 0)
      #expect(cache.status(of: 2) == .done && cache.features(of: 2)[1] == -2)
      try cache.flush()
    }
    let cache = try open(path)
    #expect(cache.pending == [0, 1])
    #expect(cache.status(of: 0) == .failed && cache.status(of: 1) == .missing)
    #expect(cache.features(of: 2)[0] == 1.5)
    try cache.store([3, 4], row: 0)
    try cache.flush()
    #expect(cache.pending == [1])
  }
}

/// Earlier versions wrote slashes as `\/`: the names are the same.
@Test func namesMayBeWrittenInAnyWay() throws {
  try inFolder { path in
    let header = try SafetensorsHeader(
      packed: [("features", "F32", 4, [1, 2]), ("status", "U8", 1, [1])],
      metadata: ["key": "vgg16", "names": #"["photos\/a.jpg"]"#])
    let rows: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 1]
    try Data(header.bytes + rows).write(to: URL(fileURLWithPath: path))
    let cache = try open(path, names: ["photos/a.jpg"])
    #expect(cache.pending == [] && cache.features(of: 0)[1] == 2)
    #expect(throws: MapCacheError.self) { try open(path, names: ["photos/b.jpg"]) }
  }
}

/// Half precision: what it holds exactly comes back so, the rest rounded, and nothing finite as infinity.
@Test func halfPrecisionTakesHalfTheRoom() throws {
  try inFolder { path in
    let values: [Float] = [1.5, -2, 0.1, 1e6, -7e4, 65504, 3e-8]
    do {
      let cache = try MapCache(path: path, key: "k", names: names, width: values.count, type: .float16)
      try cache.store(values, row: 1)
      try cache.flush()
    }
    let cache = try MapCache(path: path, key: "k", names: names, width: values.count, type: .float16)
    #expect(cache.pending == [0, 2])
    var read = [Float](repeating: .nan, count: values.count)
    cache.read(1, into: &read)
    #expect(read == [1.5, -2, 0.099975586, 65504, -65504, 65504, 5.9604645e-08])
    #expect(try SafetensorsFile(path: path).entries["features"]?.typeName == "F16")
    let other = MapCacheError.otherKey(path: path, expected: "k as F32", found: "k as F16")
    #expect(failure { _ = try open(path, key: "k", width: values.count) } == other)
  }
  try inFolder { path in
    let cache = try open(path)
    try cache.store([3, 4], row: 2)
    var read: [Float] = [0, 0]
    cache.read(2, into: &read)
    #expect(read == [3, 4])
  }
}

/// What was not flushed does not count: it may not have reached the disk.
@Test func rowsCountOnceFlushed() throws {
  try inFolder { path in
    do { try open(path).store([1, 2], row: 0) }
    #expect(try open(path).pending == [0, 1, 2])
  }
}

@Test func otherProgramsCanReadTheFile() throws {
  try inFolder { path in
    let cache = try open(path)
    try cache.store([1, 2], row: 1)
    try cache.flush()
    let file = try SafetensorsFile(path: path)
    #expect(try file.tensor(named: "features").scalars == [0, 0, 1, 2, 0, 0])
    #expect(file.metadata["key"] == "vgg16")
    #expect(try JSONDecoder().decode([String].self, from: Data((file.metadata["names"] ?? "").utf8)) == names)
  }
}

@Test func anotherKeyOrOtherRowsAreRefused() throws {
  try inFolder { path in
    _ = try open(path)
    #expect(failure { _ = try open(path, key: "x") } == .otherKey(path: path, expected: "x", found: "vgg16"))
    #expect(
      failure { _ = try open(path, width: 3) } == .otherRows(path: path, expected: [3, 3], found: [3, 2]))
    #expect(
      failure { _ = try open(path, names: names.reversed()) }
        == .otherRows(path: path, expected: [3, 2], found: [3, 2]))
    #expect(failure { _ = try open(path) } == nil)
  }
}

@Test func aSecondWriterIsRefused() throws {
  try inFolder { path in
    let first = try open(path)
    #expect(failure { _ = try open(path) } == .busy(path: path))
    try first.flush()
  }
}

@Test func foreignAndTruncatedFilesAreRefused() throws {
  try inFolder { path in
    _ = try open(path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for bytes in [Data(), Data("{}".utf8), whole.prefix(20), whole.dropLast()] {
      try bytes.write(to: URL(fileURLWithPath: path))
      guard case .notACache(path, _) = failure({ _ = try open(path) }) else {
        Issue.record("\(bytes.count) bytes were taken for a feature file")
        continue
      }
    }
    try SafetensorsWriter.write([.init(name: "x", tensor: Tensor(zeros: [2]))], metadata: [:], to: path)
    guard case .notACache = failure({ _ = try open(path) }) else { return #expect(Bool(false)) }
  }
  #expect(failure { _ = try open("/nowhere/features.safetensors") } != nil)
}

/// Photos as bytes: what matters is whether they are the same.
private func withPhotos(_ body: (_ cache: String, _ files: [String]) throws -> Void) throws {
  try withTemporaryFolder { folder in
    let files = names.indices.map { "\(folder)/\($0).jpg" }
    for file in files { try Data("photo of \(file)".utf8).write(to: URL(fileURLWithPath: file)) }
    try body(folder + "/features.safetensors", files)
  }
}

private func filled(_ path: String, _ files: [String], rows: [[Float]]) throws {
  let cache = try MapCache(path: path, key: "k", names: names, files: files, width: 2)
  for (row, values) in rows.enumerated() { try cache.store(values, row: row) }
  try cache.flush()
}

@Test func aReplacedPhotoIsComputedAgain() throws {
  try withPhotos { path, files in
    try filled(path, files, rows: [[1, 2], [3, 4], [5, 6]])
    func pending() throws -> (rows: [Int], warnings: Int) {
      let cache = try MapCache(path: path, key: "k", names: names, files: files, width: 2)
      return (cache.pending, cache.warnings.count)
    }
    #expect(try pending() == ([], 0))
    // The same size, and the same time of modification: `cp -p`.
    var times = stat()
    stat(files[1], &times)
    try Data("phot0 of \(files[1])".utf8).write(to: URL(fileURLWithPath: files[1]))
    var both = [times.st_atim, times.st_mtim]
    utimensat(AT_FDCWD, files[1], &both, 0)
    try Data("longer".utf8).write(to: URL(fileURLWithPath: files[2]))
    // Touched, but the same.
    try Data("photo of \(files[0])".utf8).write(to: URL(fileURLWithPath: files[0]))
    #expect(try pending() == ([1, 2], 1))
    // What was withdrawn stays so until it is there again.
    #expect(try pending() == ([1, 2], 0))
    try filled(path, files, rows: [[1, 2], [3, 4], [5, 6]])
    #expect(try pending() == ([], 0))
    // One that is gone has not changed.
    try FileManager.default.removeItem(atPath: files[0])
    #expect(try pending() == ([], 0))
  }
}

@Test(arguments: [Float.nan, .infinity, -.infinity, 3e38]) func absurdRowsAreComputedAgain(value: Float)
  throws
{
  try withPhotos { path, files in
    try filled(path, files, rows: [[1, 2], [3, value], [5, 6]])
    let cache = try MapCache(path: path, key: "k", names: names, files: files, width: 2)
    #expect(cache.pending == [1] && cache.warnings.count == 1)
  }
}

/// Files of earlier versions have no stamps: there the file's own time tells.
@Test func filesWithoutStampsAreRead() throws {
  try withPhotos { path, files in
    let header = try SafetensorsHeader(
      packed: [("features", "F32", 4, [3, 1]), ("status", "U8", 1, [3])],
      metadata: ["key": "k", "names": #"["a.jpg", "b c.jpg", "ü\".jpg"]"#])
    let rows: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0, 0x40, 1, 1, 1]
    usleep(20_000)
    try Data(header.bytes + rows).write(to: URL(fileURLWithPath: path))
    func pending() throws -> [Int] {
      try MapCache(path: path, key: "k", names: names, files: files, width: 1).pending
    }
    #expect(try pending() == [])
    usleep(20_000)
    try Data("another".utf8).write(to: URL(fileURLWithPath: files[1]))
    #expect(try pending() == [1])
  }
}

/// Two that begin together: the file is made once, one of them writes, and the other is told.
@Test func twoThatBeginTogetherShareOneFile() throws {
  try withPhotos { path, files in
    for _ in 0..<50 {
      unlink(path)
      let places = [Opening(), Opening()]
      DispatchQueue.concurrentPerform(iterations: 2) { number in
        places[number].cache = try? MapCache(path: path, key: "k", names: names, files: files, width: 2)
      }
      let opened = places.compactMap(\.cache)
      #expect(opened.count == 1)
      try opened.first?.store([7, 8], row: 0)
      try opened.first?.flush()
      #expect(try SafetensorsFile(path: path).tensor(named: "features").scalars.first == 7)
    }
  }
}

/// Each is one thread's, then the test's.
private final class Opening: @unchecked Sendable {
  var cache: MapCache?
}

/// A photo that is written between the opening of the cache and the end of its row: the row is done again.
@Test func aPhotoThatChangesMeanwhileIsComputedAgain() throws {
  try withPhotos { path, files in
    do {
      let cache = try MapCache(path: path, key: "k", names: names, files: files, width: 2)
      for row in 0..<3 {
        if row == 1 { try Data("another picture".utf8).write(to: URL(fileURLWithPath: files[1])) }
        try cache.store([1, 2], row: row)
      }
      try cache.flush()
    }
    #expect(try MapCache(path: path, key: "k", names: names, files: files, width: 2).pending == [1])
  }
}

/// Times in the far past or future, and clocks that were put back: content tells.
@Test(arguments: [0, 4_102_444_800]) func clocksThatJumpMisleadNobody(seconds: Int) throws {
  try withPhotos { path, files in
    func set(_ file: String) {
      let time = timespec(tv_sec: seconds, tv_nsec: 0)
      var both = [time, time]
      utimensat(AT_FDCWD, file, &both, 0)
    }
    for file in files { set(file) }
    try filled(path, files, rows: [[1, 2], [3, 4], [5, 6]])
    set(path)
    // Of the same size, and as old as before.
    try Data("phot0 of \(files[1])".utf8).write(to: URL(fileURLWithPath: files[1]))
    set(files[1])
    // The same content at another time.
    utimensat(AT_FDCWD, files[0], nil, 0)
    #expect(try MapCache(path: path, key: "k", names: names, files: files, width: 2).pending == [1])
  }
}
