import Datasets
import Foundation
import TestSupport
import Testing

private let real = """
  {"info": {"year": 2017, "odd": [null, {"a": 1.5}]}, "licenses": [{"url": "http://x", "id": 1}],
   "images": [
    {"license": 3, "file_name": "b.jpg", "id": 580197, "height": 500, "date_captured": "2013-11-14"},
    {"id": -2, "file_name": "train/a b.jpg"}, {"id": 9007199254740993, "file_name": "c.jpg"}],
   "annotations": [
    {"image_id": 580197, "id": 1, "caption": " A dog runs.\\n"}, {"image_id": -2, "id": 7, "caption": "Two \\ud83d\\ude00 cats"},
    {"image_id": 580197, "id": 2, "caption": "A dog doesn't run."}, {"image_id": -2, "id": 8, "caption": " "}],
   "type": "captions"}
  """

private func load(_ json: String, images: String = "") throws -> CaptionDataset {
  try withTemporaryFolder { folder in
    let path = folder + "/captions.json"
    try json.write(toFile: path, atomically: false, encoding: .utf8)
    return try CaptionDataset(path: path, images: images)
  }
}

/// The error's message without the folder.
private func failure(_ json: String) -> String {
  do {
    _ = try load(json)
    return "no error"
  } catch let error as DatasetError {
    return error.description.split(separator: "/").last.map(String.init) ?? ""
  } catch { return "\(error)" }
}

@Test func cocoFileIsRead() throws {
  let dataset = try load(real)
  #expect(dataset.images.map(\.id) == [580197, -2, 9_007_199_254_740_993])
  #expect(dataset.images.map(\.fileName) == ["b.jpg", "train/a b.jpg", "c.jpg"])
  #expect(dataset.images.map(\.captions) == [["A dog runs.", "A dog doesn't run."], ["Two 😀 cats"], []])
  #expect(dataset.captionCount == 3)
  #expect(dataset.warnings.count == 2)
  #expect(dataset.warnings[0].hasSuffix("1 empty captions left out, the first at annotations[3]"))
  #expect(dataset.warnings[1].hasSuffix("1 images without a caption, the first c.jpg"))
}

@Test(arguments: [
  (#"{"annotations": []}"#, "captions.json: images is missing"),
  (#"{"images": []}"#, "captions.json: annotations is missing"),
  (#"{"images": [{"id": 1}], "annotations": []}"#, "captions.json: images[0].file_name is missing"),
  (
    #"{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"caption": "x"}]}"#,
    "captions.json: annotations[0].image_id is missing"
  ),
  (
    #"{"images": [{"id": 1, "file_name": 5}], "annotations": []}"#,
    "captions.json: images[0].file_name: expected a string, found number"
  ),
  (#"{"images": {}, "annotations": []}"#, "captions.json: images: expected a list, found a dictionary"),
  (
    #"{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "caption": null}]}"#,
    "captions.json: annotations[0].caption: expected a string, found null"
  ),
  (
    #"{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": []}"#,
    "captions.json: images[1]: id 1 comes twice"
  ),
  (
    #"{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 2, "caption": "x"}]}"#,
    "captions.json: annotations[0].image_id: no image has id 2"
  ),
])
func badFilesSayWhatIsWrongWhere(json: String, message: String) { #expect(failure(json) == message) }

@Test func idsMayBeText() throws {
  let dataset = try load(
    #"{"images": [{"id": "coco_1", "file_name": "a"}, {"id": 1, "file_name": "b"}, {"id": "7", "file_name": "c"}],"#
      + #""annotations": [{"image_id": "coco_1", "caption": "x"}, {"image_id": "1", "caption": "y"},"#
      + #"{"image_id": 7, "caption": "z"}]}"#)
  #expect(dataset.images.map(\.id) == [0, 1, 7])
  #expect(dataset.images.map(\.captions) == [["x"], ["y"], ["z"]])
  #expect(dataset.warnings.isEmpty)
}

/// Whatever is broken costs itself alone.
@Test func brokenAnnotationsAreLeftOutAndListed() throws {
  let broken = [
    (#"{"image_id": 1, "caption": null}"#, ".caption: expected a string, found null"),
    (#"{"image_id": 1, "caption": 5}"#, ".caption: expected a string, found number"),
    (#"{"image_id": 1, "caption": ["x"]}"#, ".caption: expected a string, found an array"),
    (#"{"image_id": 9, "caption": "x"}"#, ".image_id: no image has id 9"),
    (#"{"image_id": "9x", "caption": "x"}"#, ".image_id: no image has id 9x"),
    (#"{"image_id": 1.5, "caption": "x"}"#, ".image_id: expected an integer"),
    ("null", ": expected an object"),
    ("[]", ": expected an object"), ("3", ": expected an object"),
    (#"{"caption": "x"}"#, ".image_id is missing"), (#"{"image_id": 1}"#, ".caption is missing"),
  ]
  let good = #"{"image_id": 1, "caption": "a dog"}"#
  for (text, complaint) in broken {
    let dataset = try load(
      #"{"images": [{"id": 1, "file_name": "a"}, null, {"id": 1, "file_name": "b"}, {"id": 2}],"#
        + #""annotations": [\#(text), \#(good)]}"#)
    #expect(dataset.images.map(\.captions) == [["a dog"]])
    #expect(dataset.brokenEntries.count == 4, "\(dataset.brokenEntries)")
    #expect(
      dataset.brokenEntries.last?.contains("captions.json: annotations[0]" + complaint) == true,
      "\(dataset.brokenEntries)")
    #expect(dataset.warnings.first?.contains("4 entries left out, the first: images[1]: ") == true)
  }
}

@Test(arguments: ["/etc/passwd", "../a.jpg", "a/../../b.jpg", "", "a/..", "a\\u0000b"])
func fileNamesStayInTheirFolder(name: String) {
  let message = failure(#"{"images": [{"id": 1, "file_name": "\#(name)"}], "annotations": []}"#)
  // The name itself holds slashes, so only the end is left.
  #expect(!message.contains("no error"))
}

@Test func dotsInFileNamesAreFine() throws {
  let dataset = try load(#"{"images": [{"id": 1, "file_name": "a..b/c...jpg"}], "annotations": []}"#)
  #expect(dataset.images.map(\.fileName) == ["a..b/c...jpg"])
}

@Test(arguments: [
  ("[", "Unexpected end"), ("{", "Unexpected end"), (#"{"images": [}"#, "around character 12"),
  (String(repeating: "[", count: 100_000), "Too many nested"),
])
func damagedJSONIsRefusedWithThePlace(json: String, reason: String) {
  let message = failure(json)
  #expect(message.hasPrefix("captions.json: not valid JSON: ") && message.contains(reason), "\(message)")
}

@Test(arguments: ["99999999999999999999", "1.5", "1e400", "-9223372036854775809"])
func idsAreIntegersOf64Bits(id: String) {
  let expected =
    "captions.json: images[0].id: expected an integer, found a number that is no integer of 64 bits"
  #expect(failure(#"{"images": [{"id": \#(id), "file_name": "a"}], "annotations": []}"#) == expected)
}

@Test func foldersAndMissingFilesAreNamed() throws {
  #expect(throws: DatasetError.self) { try CaptionDataset(path: "/nowhere/captions.json") }
  try withTemporaryFolder { folder in
    #expect(throws: DatasetError.self) { try CaptionDataset(path: folder) }
    try Data([1]).write(to: URL(fileURLWithPath: folder + "/b.jpg"))
    #expect(
      try load(real, images: folder).missingFiles() == [folder + "/train/a b.jpg", folder + "/c.jpg"])
    for bad in [folder + "/b.jpg", folder + "/none"] {
      #expect(throws: DatasetError.self) { try load(real, images: bad).missingFiles() }
    }
  }
}

@Test func thirtyThousandCaptionsAreReadQuickly() throws {
  let images = (0..<6000).map { #"{"id": \#($0), "file_name": "\#($0).jpg", "width": 224}"# }.joined(
    separator: ",")
  let annotations = (0..<30_000).map {
    #"{"image_id": \#($0 % 6000), "id": \#($0), "caption": "A dog runs through the deep snow near a house ."}"#
  }.joined(separator: ",")
  let json = #"{"images": [\#(images)], "annotations": [\#(annotations)]}"#
  var count = 0
  let time = try ContinuousClock().measure { count = try load(json).captionCount }
  #expect(count == 30_000)
  #expect(time < .seconds(5 * Sanitizer.slowness), "\(time) in a debug build")
}
