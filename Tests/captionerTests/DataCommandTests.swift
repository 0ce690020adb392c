import Foundation
import Testing

@Suite struct DataCommandTests {
  /// COCO as it is distributed but for its sizes: what differs is said, and how to train on it.
  @Test func itSaysWhatIsWrongAndHowToTrain() throws {
    try Workplace.with { test in
      let place = test.folder + "/my data"
      for split in ["train2017", "val2017"] {
        try test.file(
          "my data/annotations/captions_\(split).json",
          #"{"images": [{"id": 1, "file_name": "a\u001b.jpg"}], "annotations": [{"image_id": 1, "caption": "A dog."}]}"#
        )
      }
      let bare = try test.run("data", "coco", place + "/")
      #expect(bare.status == 1)
      #expect(bare.output.contains("train: 1 images, 1 captions"))
      #expect(bare.output.contains("expected 118287 images, found 1"))
      #expect(bare.output.contains("https://cocodataset.org/#termsofuse"))
      #expect(!bare.output.contains("captioner train"))
      for split in ["train2017", "val2017"] { try test.file("my data/\(split)/a\u{1B}.jpg", "") }
      let there = try test.run("data", "coco", place)
      #expect(
        there.output.contains(
          "captioner train --captions '\(place)/annotations/captions_train2017.json' --images '"))
      try FileManager.default.removeItem(atPath: place + "/val2017/a\u{1B}.jpg")
      let missing = try test.run("data", "coco", place)
      #expect(missing.output.contains("1 of 1 photos are missing") && !missing.output.contains("\u{1B}"))
      let json = try test.run("data", "coco", place, "--format", "json")
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
      #expect(object["dataset"] as? String == "coco" && (object["parts"] as? [Any])?.count == 2)
      #expect(try test.run("data", "coco", test.folder + "/none").status == 1)
      #expect(try test.run("data", "imagenet", test.folder).status == 64)
    }
  }
}
