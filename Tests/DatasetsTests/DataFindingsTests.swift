import Datasets
import Foundation
import Support
import TestSupport
import Testing

/// What `doctor` says of data.
@Suite struct DataFindingsTests {
  /// Findings about photos and captions, both made in a folder; kind, place and image, without the folder.
  private func findings(
    train: String, validation: String = "", files: [(String, [UInt8])] = []
  ) throws -> [(kind: String, place: String, problem: String, image: String?)] {
    try withTemporaryFolder { folder in
      for number in 1...3 {
        try FileManager.default.copyItem(
          atPath: photo("decode/jpeg-orientation-\(number).jpg"), toPath: "\(folder)/\(number).jpg")
      }
      try FileManager.default.copyItem(atPath: folder + "/1.jpg", toPath: folder + "/copy.jpg")
      for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name)) }
      func dataset(_ name: String, _ text: String) throws -> CaptionDataset {
        if text.isEmpty { return CaptionDataset() }
        try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8)
        return try CaptionDataset(path: folder + "/" + name, images: folder)
      }
      let (train, validation) = try (dataset("train", train), dataset("val", validation))
      let check = DataCheck(train: train, validation: validation, minimumCount: 1)
      return check.findings(train: train, validation: validation).map {
        (
          $0.kind.name, $0.place.replacing(folder + "/", with: ""),
          $0.problem.replacing(folder + "/", with: ""), $0.image?.replacing(folder + "/", with: "")
        )
      }
    }
  }

  private let good = "1.jpg#0\tA dog runs.\n2.jpg#0\tA cat sits."

  @Test func nothingIsFoundInGoodData() throws {
    #expect(try findings(train: good, validation: "3.jpg#0\tA cat runs.").isEmpty)
    #expect(try findings(train: good).isEmpty)
  }

  /// Kind, lines after the good ones, place, and image to leave out.
  @Test(arguments: [
    ("missing_image", "none.jpg#0\tA dog.", "none.jpg", "none.jpg"),
    ("damaged_image", "half.jpg#0\tA dog.", "half.jpg", "half.jpg"),
    ("damaged_image", "empty.jpg#0\tA dog.", "empty.jpg", "empty.jpg"),
    ("image_without_caption", "3.jpg#0\t", "3.jpg", ""), ("empty_caption", "1.jpg#1\t ", "train: line 3", ""),
    ("broken_entry", "1.jpg A dog.", "train: line 3", ""),
    ("caption_without_words", "3.jpg#0\t...", "3.jpg", ""),
    ("repeated_image", "copy.jpg#0\tA dog.", "copy.jpg", "copy.jpg"),
    ("repeated_caption", "1.jpg#1\tA dog runs.", "1.jpg", ""),
    ("long_caption", "3.jpg#0\t" + String(repeating: "dog ", count: 60), "3.jpg", ""),
    ("huge_image", "huge.png#0\tA black dog.", "huge.png", ""),
    ("alike_names", "caf\u{E9}.png#0\tA dog.\ncafe\u{301}.png#0\tA cat.", "cafe\u{301}.png", ""),
    ("respelled_name", "nai\u{308}ve.png#0\tA dog.", "nai\u{308}ve.png", ""),
  ]) func eachKindIsFound(kind: String, lines: String, place: String, image: String) throws {
    let black = PictureFiles.blackPNG(width: 8, height: 8)
    let found = try findings(
      train: good + "\n" + lines,
      files: [
        ("half.jpg", [0xFF, 0xD8, 0xFF, 0xE0]), ("empty.jpg", []), ("caf\u{E9}.png", black),
        ("cafe\u{301}.png", PictureFiles.blackPNG(width: 9, height: 8)), ("na\u{EF}ve.png", black),
        (
          "huge.png",
          kind == "huge_image" ? PictureFiles.blackPNG(width: 11585, height: 9000) : black
        ),
      ])
    let of = found.filter { $0.kind == kind }
    #expect(of.count == 1 && ExactName(of[0].place) == ExactName(place), "\(found)")
    #expect(of.first.map { $0.image ?? "" } == image)
    #expect(found.allSatisfy { !$0.problem.isEmpty })
  }

  @Test func setsAreLookedAtTogether() throws {
    let found = try findings(
      train: "1.jpg#0\tA dog.\n2.jpg#0\tA dog.", validation: "copy.jpg#0\tSome zebras graze.\n2.jpg#0\tA dog."
    )
    let shared = found.filter { $0.kind == "shared_image" }
    // A copy may be left out; the same file would be lost to both.
    #expect(shared.map(\.place) == ["copy.jpg", "2.jpg"] && shared.map(\.image) == ["copy.jpg", nil])
    #expect(found.contains { $0.kind == "identical_captions" && $0.place == "training captions" })
    #expect(found.contains { $0.kind == "unknown_words" && $0.place == "validation captions" })
    #expect(found.count == 4, "\(found)")
  }
}
