@testable import Datasets
import Foundation
import Support
import TestSupport
import Testing

@Suite struct SkipListTests {
  private func dataset(_ folder: String, _ names: [String]) throws -> CaptionDataset {
    let lines = names.map { "\($0)#0\tA dog." }.joined(separator: "\n")
    try lines.write(toFile: folder + "/captions", atomically: false, encoding: .utf8)
    return try CaptionDataset(path: folder + "/captions", images: folder + "/photos")
  }

  @Test func namesSurviveAsBytes() throws {
    try withTemporaryFolder { folder in
      let odd = FileName.text([0x61, 0xFF, 0x0D, 0xC3, 0xA9])
      let path = folder + "/skip"
      let unwritable = try SkipList.write(["a b.jpg", odd, "a b.jpg", "two\nlines"], to: path)
      #expect(unwritable == ["two\nlines"])
      #expect(
        FileManager.default.contents(atPath: path)
          == Data("a b.jpg\n".utf8 + [0x61, 0xFF, 0x0D, 0xC3, 0xA9, 0x0A]))
      let names = try SkipList(paths: [path]).names
      #expect(names == ["a b.jpg", odd])
    }
  }

  @Test func imagesAreLeftOutByNameOrPath() throws {
    try withTemporaryFolder { folder in
      let data = try dataset(
        folder, ["a.jpg", "b.jpg", "c.jpg", "caf\u{E9}.jpg", "cafe\u{301}.jpg", "d.jpg"])
      // Lines of another system, a path, one normalisation of two, and one that names nothing.
      let list = "a.jpg\r\n\(folder)/photos/b.jpg\r\n\ncaf\u{E9}.jpg\nnone.jpg"
      try Data(list.utf8).write(to: URL(fileURLWithPath: folder + "/skip"))
      let skip = try SkipList(paths: [folder + "/skip"])
      let kept = data.skipping(skip)
      #expect(
        kept.images.map { ExactName($0.fileName) }
          == ["c.jpg", "cafe\u{301}.jpg", "d.jpg"].map(ExactName.init))
      #expect(kept.skipped.count == 3)
      let warning = skip.warning(used: kept.skipped)
      #expect(warning == "1 names to be left out are those of no image, the first none.jpg")
      #expect(data.skipping(SkipList()) == data)
    }
  }

  @Test func aListThatIsNotThereIsAnError() {
    #expect(
      throws: DatasetError.file(FileError(path: "/none", action: "open", reason: "No such file or directory"))
    ) {
      try SkipList(paths: ["/none"])
    }
  }
}
