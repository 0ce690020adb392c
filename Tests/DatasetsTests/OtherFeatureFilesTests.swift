import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Features as NumPy and h5py write them (`tools/golden/features.py`): three images' multiples of a quarter.
@Suite struct OtherFeatureFilesTests {
  private static let names = ["photos/a.jpg", "b.jpg", "ü.jpg"]
  private static let ids = ["391895", "7", "42"]
  private static let vectors = (0..<12).map { (Float($0) - 5) / 4 }
  private static let regions = (0..<24).map { (Float($0) - 11) / 4 }

  @Test(
    arguments: [
      ("named.npz", names, [4]), ("bytes.npz", names, [4]), ("ids.npz", ids, [2, 4]),
      ("keyed.npz", names, [4]),
      ("fc", ids, [4]), ("att", ids, [2, 4]), ("named.h5", names, [2, 4]), ("ids.h5", ids, [4]),
      ("keyed.h5", ids, [2, 4]),
    ] as [(String, [String], [Int])])
  func areRead(name: String, names: [String], shape: [Int]) throws {
    let files = try FeatureFiles(paths: [fixture("features/" + name)])
    #expect(Set(files.names) == Set(names) && files.shape.dimensions == shape)
    let selected = try SelectedFeatures(names.map { NamedImage(called: $0) }, in: files)
    // Not in the order in which they lie.
    let read = selected.read([2, 0, 1, 2])
    let expected = shape.count == 1 ? Self.vectors : Self.regions
    let width = expected.count / 3
    for (row, image) in [2, 0, 1, 2].enumerated() {
      #expect(read.row(row).scalars == Array(expected[image * width..<(image + 1) * width]))
    }
    #expect(selected.error == nil)
  }

  @Test func whatIsWrongGetsALine() throws {
    try withTemporaryFolder { folder in
      func refusal(_ path: String) -> String? {
        do {
          let files = try FeatureFiles(paths: [path])
          _ = try SelectedFeatures(files.names.map { NamedImage(called: $0) }, in: files)
          return nil
        } catch { return "\(error)".replacing(path, with: "F") }
      }
      #expect(
        refusal(fixture("features/unnamed.npz"))
          == "F: the file: expected names or ids of the images that the rows of features are of, found none")
      #expect(refusal(folder) == "F: the folder: expected files NAME.npy or NAME.npz, found none")
      // Arrays of unlike shapes, and one that is cut.
      for name in ["7.npy", "42.npy"] {
        try FileManager.default.copyItem(atPath: fixture("features/fc/" + name), toPath: folder + "/" + name)
      }
      try FileManager.default.copyItem(atPath: fixture("features/att/7.npz"), toPath: folder + "/8.npz")
      #expect(refusal(folder) == "F/8.npz: the file: expected [4], as 42.npy has, found [2, 4]")
      try FileManager.default.removeItem(atPath: folder + "/8.npz")
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/7.npy"))
      try bytes.dropLast().write(to: URL(fileURLWithPath: folder + "/7.npy"))
      #expect(refusal(folder)?.hasPrefix("F/7.npy: ") == true)
      let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("features/named.h5")))
      try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: folder + "/half.h5"))
      #expect(refusal(folder + "/half.h5")?.hasPrefix("F: ") == true)
    }
  }
}
