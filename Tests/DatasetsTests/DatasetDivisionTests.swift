import Datasets
import Foundation
import TestSupport
import Testing

private func dataset(_ files: [String]) throws -> CaptionDataset {
  try load(Data(files.enumerated().map { "\($1)#\($0)\tcaption \($0)" }.joined(separator: "\n").utf8))
}

@Test func aShareOfTheFilesValidates() throws {
  let all = try dataset((0..<20).flatMap { ["\($0).jpg", "\($0).jpg"] })
  let (train, validation) = all.divided(validationShare: 0.1, seed: 1)
  #expect(train.images.count == 18 && validation.images.count == 2 && validation.captionCount == 4)
  #expect(Set(train.images.map(\.fileName) + validation.images.map(\.fileName)).count == 20)
  #expect(all.divided(validationShare: 0.1, seed: 1).validation == validation)
  #expect(all.divided(validationShare: 0.1, seed: 2).validation != validation)
}

@Test func aFileIsOnOneSideWhateverNamesItTwice() throws {
  let one = try dataset((0..<10).map { "\($0).jpg" })
  let twice = CaptionDataset.merged([one, one])
  let (train, validation) = twice.divided(validationShare: 0.3, seed: 3)
  #expect(validation.images.count == 6 && train.images.count == 14)
  #expect(Set(train.images.map(\.path)).isDisjoint(with: validation.images.map(\.path)))
}

@Test func bothSidesGetAFileIfThereAreTwo() throws {
  for (share, count) in [(0.001, 1), (0.999, 1), (0.5, 1)] {
    #expect(
      try dataset(["a", "b"]).divided(validationShare: share, seed: 1).validation.images.count == count)
  }
  #expect(try dataset(["a"]).divided(validationShare: 0.5, seed: 1).validation.images.isEmpty)
}

@Test func filesOfTheSameBytesAreShared() throws {
  try withTemporaryFolder { folder in
    let start = String(repeating: "s", count: 10_000)
    for (name, text) in [
      ("a", start + "1"), ("b", start + "1"), ("c", start + "2"), ("d", "t" + start.dropFirst() + "1"),
      ("e", ""),
    ] { try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8) }
    func set(_ names: String) throws -> CaptionDataset {
      let path = folder + "/captions"
      let text = names.map { "\($0)#0\tx" }.joined(separator: "\n")
      try text.write(toFile: path, atomically: false, encoding: .utf8)
      return try CaptionDataset(path: path, images: folder)
    }
    let shared = SharedFiles(try set("ae"), try set("abcdex"))
    #expect(
      shared.twins == [
        .init(image: folder + "/a", first: folder + "/a"), .init(image: folder + "/b", first: folder + "/a"),
        .init(image: folder + "/e", first: folder + "/e"),
      ])
    #expect(
      shared.warning == "3 validation images are training images too, the first \(folder)/a")
    #expect(SharedFiles(try set("a"), try set("cd")).warning == nil)
  }
}
