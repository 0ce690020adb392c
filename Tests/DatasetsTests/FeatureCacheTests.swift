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
  -> FeatureCache
{
  try FeatureCache(path: path, key: key, names: names, width: width)
}

private func failure(_ body: () throws -> Void) -> FeatureCacheError? {
  do {
    try body()
    return nil
  } catch { return error as? FeatureCacheError }
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
    #expect(throws: FeatureCacheError.self) { try open(path, names: ["photos/b.jpg"]) }
  }
}

/// Half precision: what it holds exactly comes back so, the rest rounded, and nothing finite as infinity.
@Test func halfPrecisionTakesHalfTheRoom() throws {
  try inFolder { path in
    let values: [Float] = [1.5, -2, 0.1, 1e6, -7e4, 65504, 3e-8]
    do {
      let cache = try FeatureCache(path: path, key: "k", names: names, width: values.count, type: .float16)
      try cache.store(values, row: 1)
      try cache.flush()
    }
    let cache = try FeatureCache(path: path, key: "k", names: names, width: values.count, type: .float16)
    #expect(cache.pending == [0, 2])
    var read = [Float](repeating: .nan, count: values.count)
    cache.read(1, into: &read)
    #expect(read == [1.5, -2, 0.099975586, 65504, -65504, 65504, 5.9604645e-08])
    #expect(try SafetensorsFile(path: path).entries["features"]?.typeName == "F16")
    let other = FeatureCacheError.otherKey(path: path, expected: "k as F32", found: "k as F16")
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
