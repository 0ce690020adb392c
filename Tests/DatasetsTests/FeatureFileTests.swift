import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import Datasets

@Suite struct FeatureFileTests {
  private typealias Item = SafetensorsWriter.Item

  private func numbers(_ file: FeatureFile, _ name: String) throws -> [Float] {
    let selected = try SelectedFeatures([NamedImage(called: name)], in: FeatureFiles(paths: [file.path]))
    return selected.read([0]).scalars
  }

  @Test(arguments: [StoredType.float32, .float16, .bfloat16]) func rowsAreReadByName(type: StoredType) throws
  {
    try withTemporaryFolder { folder in
      let path = folder + "/f.safetensors"
      try SafetensorsWriter.write(
        [Item(name: "features", tensor: Tensor([1, 2, -3, 4, 5.5, 6], [2, 3]), type: type)],
        metadata: ["names": #"["photos/a.jpg", 7]"#], to: path)
      let file = try FeatureFile(path: path)
      #expect(file.names == ["photos/a.jpg", "7"] && file.shape == [3])
      #expect(try numbers(file, "a.jpg") == [1, 2, -3] && numbers(file, "7") == [4, 5.5, 6])
    }
  }

  /// Ids that a float could not tell apart, regions, a tensor an image.
  @Test func otherLayoutsAreRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/f.safetensors"
      var ids = try SafetensorsHeader(
        packed: [("ids", "I64", 8, [2]), ("x", "F32", 4, [2, 1, 2])], metadata: [:]
      ).bytes
      for id in [8_000_000_001 as Int64, 8_000_000_002] { withUnsafeBytes(of: id) { ids += $0 } }
      for number in [1, 2, 3, 4] as [Float] { withUnsafeBytes(of: number) { ids += $0 } }
      try Data(ids).write(to: URL(fileURLWithPath: path))
      let table = try FeatureFile(path: path)
      #expect(table.names == ["8000000001", "8000000002"] && table.shape == [1, 2])
      #expect(try numbers(table, "8000000002") == [3, 4])
      try SafetensorsWriter.write(
        [Item(name: "b", tensor: Tensor([3, 4], [2])), Item(name: "a", tensor: Tensor([1, 2], [2]))],
        metadata: [:], to: path)
      let single = try FeatureFile(path: path)
      #expect(try single.names == ["a", "b"] && single.shape == [2] && numbers(single, "b.jpg") == [3, 4])
    }
  }

  /// Rows whose photo could not be read, or that are not there yet, are none.
  @Test func rowsThatAreNotThereAreNone() throws {
    try withTemporaryFolder { folder in
      let (path, photos) = (folder + "/f.safetensors", ["a.jpg", "b.jpg", "c.jpg"])
      let cache = try MapCache(path: path, key: "k", names: photos, width: 2)
      try cache.store([1, 2], row: 0)
      cache.markFailed(row: 1)
      try cache.flush()
      let files = try FeatureFiles(paths: [path])
      #expect(throws: FeatureFileError.lacking(path: path, count: 2, of: 3, first: "b.jpg")) {
        _ = try SelectedFeatures(photos.map { NamedImage(called: $0) }, in: files)
      }
      #expect(try SelectedFeatures([NamedImage(called: "a.jpg")], in: files).read([0]).scalars == [1, 2])
    }
  }

  @Test func whatIsWrongGetsALine() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/f.safetensors"
      func refusal(_ items: [Item], _ metadata: [String: String] = [:]) throws -> String? {
        try SafetensorsWriter.write(items, metadata: metadata, to: path)
        do {
          let files = try FeatureFiles(paths: [path])
          _ = try SelectedFeatures(files.names.map { NamedImage(called: $0) }, in: files)
          return nil
        } catch { return "\(error)".replacing(path + ": ", with: "") }
      }
      let two = Item(name: "features", tensor: Tensor([1, 2, 3, 4], [2, 2]))
      #expect(try refusal([]) == "the file: expected features of images, found none")
      #expect(
        try refusal([two])
          == "metadata names: expected a JSON list of the images that the rows of features are of, found none"
      )
      #expect(
        try refusal([two], ["names": "a, b"])
          == "metadata names: expected a JSON list of names or ids, found \"a, b\"")
      #expect(
        try refusal([two], ["names": #"["a"]"#]) == "names: expected 2, one a row of features, found 1")
      #expect(
        try refusal([two], ["names": #"["a", "a"]"#]) == "name 1: expected each image once, found a again")
      #expect(
        try refusal([
          Item(name: "a", tensor: Tensor([1], [1])), Item(name: "b", tensor: Tensor([1, 2], [2])),
        ])
          == "b: expected shape [1], as a has, found [2]")
      let strange = Item(name: "features", tensor: Tensor([1, .nan], [1, 2]))
      #expect(try refusal([strange], ["names": #"["a"]"#]) == "a: expected finite numbers, found others")
      let wide = Item(name: "features", tensor: Tensor(zeros: [1, 65537]))
      #expect(try refusal([wide], ["names": #"["a"]"#])?.hasPrefix("the file: expected [D], ") == true)
      try "no tensors".write(toFile: path, atomically: false, encoding: .utf8)
      #expect(throws: FeatureFileError.self) { _ = try FeatureFile(path: path) }
      #expect(throws: FeatureFileError.self) { _ = try FeatureFile(path: folder + "/none") }
    }
  }

  /// Several files are one: of one shape, and each image in the first that has it.
  @Test func filesAreJoined() throws {
    try withTemporaryFolder { folder in
      func write(_ name: String, _ width: Int, _ names: String) throws -> String {
        let path = "\(folder)/\(name)"
        try SafetensorsWriter.write(
          [
            Item(
              name: "features", tensor: Tensor([Float](repeating: Float(width), count: width), [1, width]))
          ],
          metadata: ["names": names], to: path)
        return path
      }
      let paths = [try write("a", 2, #"["1.jpg"]"#), try write("b", 2, #"["2.jpg"]"#)]
      let files = try FeatureFiles(paths: paths)
      #expect(files.names == ["1.jpg", "2.jpg"] && files.shape == [2])
      let images = ["2.jpg", "1.jpg"].map { NamedImage(called: $0) }
      let selected = try SelectedFeatures(images, in: files)
      #expect(selected.count == 2 && selected.read([1, 0, 1]).shape == [3, 2])
      #expect(
        try SelectedFeatures(images.reversed(), in: files).fingerprint == selected.fingerprint)
      let other = try write("c", 3, #"["3.jpg"]"#)
      #expect(
        throws: FeatureFileError.unexpected(
          path: other, place: "the file", expected: "[2] an image, as in \(paths[0])", found: "[3]")
      ) { _ = try FeatureFiles(paths: [paths[0], other]) }
    }
  }
}
