import Datasets
import Foundation
import TestSupport
import Testing

private func load(_ text: String) throws -> CaptionDataset { try load(Data(text.utf8)) }

@Test func listsOfImagesWithOneCaptionOrSeveralAreRead() throws {
  let dataset = try load(
    """
    [{"image": "val2014/a.jpg", "caption": "A dog.", "image_id": "coco_1"}, {"image": "b.jpg", "caption": ["x", "y"]},
     {"image": "val2014/a.jpg", "caption": "A cat.", "image_id": "coco_1"}, {"image": "c.jpg", "captions": "z"},
     {"image": "d.jpg", "caption": null}, {"image": "e.jpg", "caption": [1, "u"]}, {"caption": "no image"}]
    """)
  #expect(dataset.images.map(\.fileName) == ["val2014/a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"])
  #expect(dataset.images.map(\.captions) == [["A dog.", "A cat."], ["x", "y"], ["z"], [], ["u"]])
  #expect(Set(dataset.images.map(\.id)).count == 5)
  #expect(
    dataset.brokenEntries.map { String($0.split(separator: "/").last ?? "") } == [
      "captions: [4].caption: expected a string, found null",
      "captions: [5].caption[0]: expected a string, found number",
      "captions: [6].file_path is missing",
    ])
}

/// A place that another image has as its id is no reason to lose the image.
@Test func placesThatAreTakenAreReplaced() throws {
  let dataset = try load(
    #"[{"file_path": "a", "captions": ["x"], "id": 1}, {"file_path": "b", "captions": ["y"]}]"#)
  #expect(dataset.images.map(\.id) == [1, 0])
}

@Test func linesOfJSONAreRead() throws {
  let dataset = try load(
    """
    {"file_name": "a.jpg", "text": "A dog."}

    {"file_name": "b.jpg", "text": 5}
    {"file_name": "a.jpg", "text":
    {"image": "c.jpg", "captions": [{"caption": "a cat", "log_prob": -3.5}, {"caption": "two cats"}]}
    {"image": "d.jpg", "error": "d.jpg: can't read"}
    {"file_name": "a.jpg", "text": "Two dogs."}
    """)
  #expect(dataset.images.map(\.fileName) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
  #expect(dataset.images.map(\.captions) == [["A dog.", "Two dogs."], [], ["a cat", "two cats"], []])
  #expect(dataset.brokenEntries.count == 2)
  #expect(dataset.brokenEntries[0].hasSuffix("captions: line 3: text: expected a string, found number"))
  #expect(dataset.brokenEntries[1].contains("captions: not valid JSON: line 4: "))
}

/// An indented COCO file may have lines that look like entries.
@Test func indentedFilesAreNoLines() throws {
  let dataset = try load(
    """
    {"images": [{"id": 1, "file_name": "a"}],
    "annotations": [
    {"image_id": 1, "caption": "x"}
    ]}
    """)
  #expect(dataset.images.map(\.captions) == [["x"]])
}

@Test func tablesAreRead() throws {
  let kaggle = try load(
    "image,caption\r\n0.jpg,A man in a hat .\r\n0.jpg,\"A man , with a \"\"dog\"\" .\"\r\n"
      + "1.jpg,\"two\r\nlines\"\r\n2.jpg,one, two\r\n3.jpg\r\n4.jpg,\"open\r\n5.jpg,x\r\n")
  #expect(kaggle.images.map(\.fileName) == ["0.jpg", "1.jpg", "2.jpg", "5.jpg"])
  #expect(
    kaggle.images.map(\.captions) == [
      ["A man in a hat .", "A man , with a \"dog\" ."], ["two lines"], ["one, two"], ["x"],
    ])
  #expect(kaggle.brokenEntries.count == 2)
  #expect(kaggle.brokenEntries[0].hasSuffix("captions: line 7: expected 2 fields, found 1"))
  #expect(
    kaggle.brokenEntries[1].hasSuffix(
      "captions: line 8: expected 2 fields, found a quotation mark without its second"))
  let flickr = try load(
    "image_name| comment_number| comment\n1.jpg| 0| \"Two , dogs\n1.jpg| 1| A dog .\n2.jpg| 4   A dog .\n")
  #expect(flickr.images.map(\.captions) == [["\"Two , dogs", "A dog ."]])
  #expect(flickr.brokenEntries.count == 1)
  let own = try load(
    "image,rank,caption,log_prob,error\na.jpg,1,a dog,-3.5,\na.jpg,2,a cat,-4,\nb.jpg,,,,broken\n")
  #expect(own.images.map(\.captions) == [["a dog", "a cat"], []])
}

@Test func missingQuotationMarksTakeLinearTime() throws {
  let text = "image,caption\n" + String(repeating: "a.jpg,\"x\n", count: 10_001)
  let time = ContinuousClock().measure { _ = try? load(text) }
  #expect(time < .seconds(20 * Sanitizer.slowness))
}

@Test func textsBesidePhotosAreRead() throws {
  try withTemporaryFolder { folder in
    for (name, text) in [
      ("a.jpg", "x"), ("a.txt", "A dog.\n\nTwo dogs.\n"), ("b.b.png", "x"), ("b.b.txt", "A cat."),
      ("c.txt", "none"),
      ("d.jpg", "x"),
    ] { try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8) }
    let dataset = try CaptionDataset(path: folder, images: folder)
    #expect(dataset.images.map(\.fileName) == ["a.jpg", "b.b.png"])
    #expect(dataset.images.map(\.captions) == [["A dog.", "Two dogs."], ["A cat."]])
    #expect(
      dataset.brokenEntries == [
        "\(folder)/c.txt: photo: expected one of the same name in \(folder), found none"
      ])
    #expect(try CaptionDataset(path: folder).captionCount == 3)
    #expect(throws: DatasetError.noSplit(path: folder, split: "train", found: [])) {
      try CaptionDataset(path: folder, images: folder, split: .named("train"))
    }
  }
}
