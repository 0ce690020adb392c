import Datasets
import Foundation
import TestSupport
import Testing

let karpathy = """
  {"dataset": "coco", "images": [
    {"filepath": "val2014", "filename": "a.jpg", "cocoid": 391895, "imgid": 0, "split": "test", "sentids": [770337],
     "sentences": [{"tokens": ["a", "man"], "raw": "A man with a red helmet. ", "imgid": 0, "sentid": 770337}]},
    {"filepath": "train2014", "filename": "b.jpg", "cocoid": 7, "imgid": 1, "split": "train",
     "sentences": [{"raw": "A dog."}, {"tokens": ["two", "dogs"]}, {"raw": " "}]},
    {"filepath": "val2014", "filename": "c.jpg", "cocoid": 9, "imgid": 2, "split": "restval", "sentences": []},
    {"filepath": "val2014", "filename": "d.jpg", "cocoid": 11, "imgid": 3, "split": "val",
     "sentences": [{"raw": "A cat."}]}]}
  """

let listed = """
  [{"file_path": "train2014/a.jpg", "id": 12, "captions": ["A dog.", ""]},
   {"file_path": "b.jpg", "captions": [" Two\\tcats "]}, {"captions": [], "file_path": "c.jpg", "split": "val"}]
  """

let flickr =
  "a.jpg#0\tA child in a pink dress .\r\nb.jpg#0\t\n\na.jpg#1\tA girl\tgoing in\nc#1.jpg.1#12\tÜber .\n"

/// Reads text as a caption file.
func load(_ text: some DataProtocol, split: CaptionSplit = .all) throws -> CaptionDataset {
  try withTemporaryFolder { folder in
    let path = folder + "/captions"
    try Data(text).write(to: URL(fileURLWithPath: path))
    return try CaptionDataset(path: path, images: "photos", split: split)
  }
}

private func load(_ text: String, split: CaptionSplit = .all) throws -> CaptionDataset {
  try load(Data(text.utf8), split: split)
}

/// The error's message without the folder.
private func failure(_ text: some DataProtocol, split: CaptionSplit = .all) -> String {
  do {
    _ = try load(text, split: split)
    return "no error"
  } catch let error as DatasetError {
    return error.description.split(separator: "/", maxSplits: 20).last.map(String.init) ?? ""
  } catch { return "\(error)" }
}

@Test func karpathysFileIsRead() throws {
  let all = try load(karpathy)
  #expect(all.images.map(\.id) == [391895, 7, 9, 11])
  #expect(
    all.images.map(\.fileName) == ["val2014/a.jpg", "train2014/b.jpg", "val2014/c.jpg", "val2014/d.jpg"])
  #expect(all.images[1].path == "photos/train2014/b.jpg")
  #expect(
    all.images.map(\.captions) == [["A man with a red helmet."], ["A dog.", "two dogs"], [], ["A cat."]])
  #expect(all.warnings.count == 2 && all.emptyCaptions[0].hasSuffix("images[1].sentences[2]"))
}

@Test(arguments: [
  ("train", [7, 9]), ("train-only", [7]), ("restval", [9]), ("val", [11]), ("test", [391895]),
  ("val, test", [391895, 11]), ("test,train", [391895, 7, 9]),
])
func splitsAreChosenByName(name: String, ids: [Int]) throws {
  #expect(try load(karpathy, split: .named(name)).images.map(\.id) == ids)
  #expect(try load(karpathy, split: .ifAny(name)).images.map(\.id) == ids)
}

@Test func splitsThatAreNotThereAreRefused() throws {
  let message = failure(Data(karpathy.utf8), split: .named("dev"))
  let found = "found restval (1 images), test (1 images), train (1 images), val (1 images)"
  #expect(message == "captions: expected images of split dev, " + found)
  #expect(
    failure(Data(karpathy.utf8), split: .ifAny("")).contains("expected images of split , found restval"))
  #expect(try load(listed, split: .ifAny("val")).images.map(\.id) == [2])
  let without = listed.replacing(#", "split": "val""#, with: "")
  #expect(try load(without, split: .ifAny("train")).images.count == 3)
  #expect(
    failure(Data(without.utf8), split: .named("train"))
      == "captions: expected images of split train, found images without splits")
  #expect(failure(Data(flickr.utf8), split: .named("train")).hasSuffix("found images without splits"))
  let coco = Data(#"{"images": [{"id": 1, "file_name": "a"}], "annotations": []}"#.utf8)
  #expect(failure(coco, split: .named("train")).hasSuffix("found images without splits"))
  #expect(try load(coco, split: .ifAny("train")).images.count == 1)
}

@Test func idsOfKarpathysFileHaveFallbacks() throws {
  let dataset = try load(karpathy.replacing(/"cocoid": \d+,/, with: ""))
  #expect(dataset.images.map(\.id) == [0, 1, 2, 3])
  let bare = #"{"images": [{"filename": "a", "sentences": []}, {"filename": "b", "sentences": []}]}"#
  #expect(try load(bare).images.map(\.id) == [0, 1])
  #expect(try load(bare).images.map(\.fileName) == ["a", "b"])
}

@Test func listsOfPathsAndCaptionsAreRead() throws {
  let dataset = try load(listed)
  #expect(dataset.images.map(\.id) == [12, 1, 2])
  #expect(dataset.images.map(\.fileName) == ["train2014/a.jpg", "b.jpg", "c.jpg"])
  #expect(dataset.images.map(\.captions) == [["A dog."], ["Two\tcats"], []])
  #expect(dataset.emptyCaptions.count == 1 && dataset.emptyCaptions[0].hasSuffix(": [0].captions[1]"))
  #expect(try load("[]").images.isEmpty)
}

@Test func flickrTokensAreRead() throws {
  let dataset = try load(flickr)
  #expect(dataset.images.map(\.fileName) == ["a.jpg", "b.jpg", "c#1.jpg.1"])
  #expect(dataset.images.map(\.id) == [0, 1, 2])
  #expect(
    dataset.images.map(\.captions) == [["A child in a pink dress .", "A girl\tgoing in"], [], ["Über ."]])
  #expect(dataset.emptyCaptions.count == 1 && dataset.emptyCaptions[0].hasSuffix(": line 2"))
  #expect(try load("\u{FEFF}a.jpg#0\tx").images[0].fileName == "a.jpg")
}

@Test func marksAndSpaceBeforeJSONAreSkipped() throws {
  #expect(try load("\u{FEFF}" + karpathy).images.count == 4)
  #expect(try load("\n\t " + listed).images.count == 3)
}

@Test(arguments: [
  ("[1]", "captions: [0]: expected an object, found number"),
  (#"[{"captions": []}]"#, "captions: [0].file_path is missing"),
  (#"[{"file_path": "a"}]"#, "captions: [0].captions is missing"),
  (#"[{"file_path": "a", "captions": [1]}]"#, "captions: [0].captions[0]: expected a string, found number"),
  (
    #"[{"file_path": "a", "captions": [], "id": 1}, {"file_path": "b", "captions": [], "id": 1}]"#,
    "captions: [1]: id 1 comes twice"
  ),
  (
    #"[{"file_path": "..", "captions": []}]"#,
    #"captions: [0].file_path: expected a file in the folder of images, found "..""#
  ),
  (#"{"images": [{"sentences": []}]}"#, "captions: images[0].filename is missing"),
  (
    #"{"images": [{"filename": "a", "sentences": [{}]}]}"#,
    "captions: images[0].sentences[0].raw is missing"
  ),
  (
    #"{"images": [{"filename": "a", "sentences": [{"raw": 1}]}]}"#,
    "captions: images[0].sentences[0].raw: expected a string, found number"
  ),
  (
    #"{"images": [{"filename": "a", "sentences": []}, {"filename": "b"}]}"#,
    "captions: images[1].sentences is missing"
  ),
  (
    #"{"images": [{"filename": "a", "split": 1, "sentences": []}]}"#,
    "captions: images[0].split: expected a string, found number"
  ),
  (
    #"{"images": [{"filename": "a", "filepath": "..", "sentences": []}]}"#,
    "a\""  // What follows the last slash.
  ),
])
func malformedFilesSayWhatIsWrongWhere(text: String, message: String) {
  #expect(failure(Data(text.utf8)) == message)
}

@Test(arguments: ["b.jpg\ty", "#0\ty", "b.jpg#1 y", "b.jpg#x\ty"])
func brokenLinesCostThemselves(line: String) throws {
  let dataset = try load("a.jpg#0\tx\n\(line)\nc.jpg#0\tz")
  #expect(dataset.images.map(\.captions) == [["x"], ["z"]])
  #expect(dataset.brokenEntries.count == 1)
  let complaint = "captions: line 2: expected NAME#NUMBER<tab>CAPTION, found " + line.debugDescription
  #expect(dataset.brokenEntries[0].hasSuffix(complaint))
}

@Test(arguments: [
  ("", "an empty file"), (" \n", "white space"), ("nonsense", #"text that begins with "nonsense""#),
  ("\"text\"", #"text that begins with "\"text\"""#), ("12", #"text that begins with "12""#),
  ("\u{0}\u{1}", #"text that begins with "\0\u{01}""#),
])
func otherFilesAreNotTakenForCaptions(text: String, found: String) {
  #expect(failure(Data(text.utf8)).contains("expected captions (") || text.isEmpty)
  #expect(failure(Data(text.utf8)).hasSuffix("found " + found))
}

/// Bytes that are no UTF-8 cost no caption: they are letters of Windows-1252.
@Test func otherBytesAreLetters() throws {
  let broken = try load(Data("a.jpg#0\tx\nb.jpg#0\t".utf8) + [0xFF])
  #expect(broken.images.map(\.captions) == [["x"], ["ÿ"]] && broken.brokenEntries.isEmpty)
  #expect(broken.warnings.contains { $0.contains("1 captions are not UTF-8, the first at line 2") })
  #expect(try load(Data([0x61, 0xC3, 0x23, 0x30, 9, 0x78])).images.map(\.captions) == [["x"]])
  #expect(failure(Data([0xFF, 0xFE, 0x7B, 0])).contains("not valid JSON"))
}

/// Whatever is done to a file, it is read or refused.
@Test(arguments: [karpathy, listed, flickr]) func damagedFilesAreReadOrRefused(text: String) throws {
  let whole = Array(text.utf8)
  for count in stride(from: 0, to: whole.count, by: 9) { _ = failure(Data(whole[..<count])) }
  var random = SystemRandomNumberGenerator()
  let alphabet = Array("\"{}[],:0#\t\n\\u-.e\u{FF}".utf8) + [0, 0xC3, 0xFF]
  for _ in 0..<200 {
    var bytes = whole
    for _ in 0..<Int.random(in: 1...4) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      if Bool.random() { bytes[place] = alphabet.randomElement()! } else { bytes.remove(at: place) }
    }
    let message = failure(Data(bytes))
    #expect(!message.contains("The data couldn"), "\(message)")
  }
}

/// Lists of names beside Flickr8k's token file are its splits; without lists it has none.
@Test func listsBesideATokenFileAreItsSplits() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/Flickr8k.token.txt"
    try Data("a.jpg#0\tA dog .\nb.jpg#0\tA cat .\na.jpg#1\tIt runs .\nc.jpg#0\tA cow .\n".utf8)
      .write(to: URL(fileURLWithPath: path))
    #expect(try CaptionDataset(path: path, split: .ifAny("train")).images.count == 3)
    #expect(throws: DatasetError.self) { try CaptionDataset(path: path, split: .named("train")) }
    try Data("a.jpg\r\nz.jpg\r\n".utf8).write(to: URL(fileURLWithPath: folder + "/Flickr_8k.trainImages.txt"))
    try Data("c.jpg".utf8).write(to: URL(fileURLWithPath: folder + "/Flickr_8k.devImages.txt"))
    let train = try CaptionDataset(path: path, split: .ifAny("train"))
    #expect(
      train.images.map(\.fileName) == ["a.jpg"] && train.images[0].captions == ["A dog .", "It runs ."])
    #expect(try CaptionDataset(path: path, split: .named("val")).images.map(\.fileName) == ["c.jpg"])
    #expect(try CaptionDataset(path: path).images.map(\.fileName) == ["a.jpg", "b.jpg", "c.jpg"])
    #expect(throws: DatasetError.self) { try CaptionDataset(path: path, split: .named("test")) }
  }
}
