import Foundation
import Imaging
import Kernels
import Tensors
import TestSupport
import Testing

@testable import Datasets

@Suite struct ReducedPhotoCacheTests {
  private static let pixels = 200

  /// Copies of photos, and where their cache goes.
  private static func withPhotos(_ body: (_ cache: String, _ files: [String]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let files = try (1...3).map { number in
        let path = "\(folder)/\(number).jpg"
        try FileManager.default.copyItem(
          atPath: photo("decode/jpeg-orientation-\(number).jpg"), toPath: path)
        return path
      }
      try body(folder + "/photos.safetensors", files)
    }
  }

  private static func open(_ path: String, _ files: [String], key: String = "k") throws -> ReducedPhotoCache {
    try ReducedPhotoCache(
      path: path, key: key, names: files.indices.map { "\($0).jpg" }, files: files, pixels: pixels)
  }

  private static func fill(_ cache: ReducedPhotoCache, threads: Int = 2) throws -> [String] {
    var failures: [String] = []
    try cache.fill(reader: ImageReader(), pool: ThreadPool(threads: threads), progress: { _ in }) { path, _ in
      failures.append(path)
    }
    return failures
  }

  @Test(arguments: [1, 3]) func photosComeBackAsTheyWereRead(threads: Int) throws {
    try Self.withPhotos { path, files in
      do {
        let cache = try Self.open(path, files)
        #expect(cache.pending == [0, 1, 2])
        #expect(try Self.fill(cache, threads: threads) == [])
      }
      let cache = try Self.open(path, files)
      #expect(cache.pending == [] && cache.warnings == [])
      for (row, file) in files.enumerated() {
        let photo = try ImageReader().reduced(contentsOf: file, pixels: Self.pixels).image
        #expect(cache.image(of: row) == photo && photo.size.pixels <= Self.pixels)
      }
      // Other programs can read it.
      let file = try SafetensorsFile(path: path)
      let rows = try #require(file.entries["photos"])
      #expect(rows.typeName == "U8" && rows.shape == [3, 4 + 3 * Self.pixels])
      let first = cache.image(of: 0)
      #expect(
        file.bytes(of: rows).prefix(6) == [UInt8(first.width), 0, UInt8(first.height), 0]
          + first.pixels.prefix(2))
    }
  }

  @Test func photosThatCannotBeReadFail() throws {
    try Self.withPhotos { path, files in
      try Data("no photo".utf8).write(to: URL(fileURLWithPath: files[1]))
      let cache = try Self.open(path, files)
      #expect(try Self.fill(cache) == [files[1]])
      #expect(cache.status(of: 1) == .failed && cache.pending == [1])
      // The next run tries again.
      try FileManager.default.removeItem(atPath: files[1])
      try FileManager.default.copyItem(atPath: files[0], toPath: files[1])
      #expect(try Self.fill(cache) == [])
      #expect(cache.image(of: 1) == cache.image(of: 0))
    }
  }

  @Test func aReplacedPhotoIsReadAgain() throws {
    try Self.withPhotos { path, files in
      _ = try Self.fill(Self.open(path, files))
      try FileManager.default.removeItem(atPath: files[2])
      try FileManager.default.copyItem(atPath: photo("decode/jpeg-grey.jpg"), toPath: files[2])
      let cache = try Self.open(path, files)
      #expect(cache.pending == [2] && cache.warnings.count == 1)
    }
  }

  /// What stops in the middle keeps what was done.
  @Test func anInterruptionKeepsWhatWasRead() throws {
    struct Stop: Error {}
    try Self.withPhotos { path, files in
      let cache = try Self.open(path, files)
      #expect(throws: Stop.self) {
        try cache.fill(reader: ImageReader(), progress: { _ in throw Stop() }, failed: { _, _ in })
      }
      #expect(cache.pending == [])
    }
    try Self.withPhotos { path, files in
      do { try Self.open(path, files).store(RGBImage(width: 1, height: 1, pixels: [1, 2, 3]), row: 0) }
      // Not flushed.
      #expect(try Self.open(path, files).pending == [0, 1, 2])
    }
  }

  @Test func otherPhotosAndKeysAreRefused() throws {
    try Self.withPhotos { path, files in
      _ = try Self.open(path, files)
      #expect(throws: MapCacheError.otherKey(path: path, expected: "x", found: "k")) {
        try Self.open(path, files, key: "x")
      }
      #expect(throws: MapCacheError.self) { try Self.open(path, Array(files.prefix(2))) }
      // Features are no photos.
      _ = try MapCache(path: path + "2", key: "k", names: files, files: files, width: 2)
      #expect(throws: MapCacheError.self) { try Self.open(path + "2", files) }
    }
  }

  /// Rows whose size makes no sense are damaged: done again, and found by doctor.
  @Test func damagedRowsAreReadAgain() throws {
    try Self.withPhotos { path, files in
      _ = try Self.fill(Self.open(path, files))
      #expect(FeatureFileCheck.findings(try SafetensorsFile(path: path)).isEmpty)
      let offset = try #require(try SafetensorsFile(path: path).entries["photos"]).offset
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[offset + (4 + 3 * Self.pixels) + 1] = 0xFF
      try bytes.write(to: URL(fileURLWithPath: path))
      let file = try SafetensorsFile(path: path)
      #expect(FeatureFileCheck.kind(of: file) == "photos")
      let findings = FeatureFileCheck.findings(file)
      #expect(findings.count == 1 && findings[0].kind == .damagedRow && findings[0].place.contains("1.jpg"))
      let cache = try Self.open(path, files)
      #expect(cache.pending == [1] && cache.warnings.count == 1)
    }
  }
}
