import Datasets
import Foundation
import Support
import TestSupport
import Testing

private let table = "image,caption\n0.jpg,un café\n1.jpg,deux chiens\n"
private let coco =
  #"{"images": [{"id": "a", "file_name": "0.jpg"}, {"id": "b", "file_name": "1.jpg"}], "annotations": "#
  + #"[{"image_id": "a", "caption": "un café"}, {"image_id": "b", "caption": "deux chiens"}]}"#

/// Every encoding that caption files come in.
@Test(arguments: [
  String.Encoding.utf8, .utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .isoLatin1, .windowsCP1252,
])
func encodingsAreRead(encoding: String.Encoding) throws {
  for text in [table, coco, "0.jpg#0\tun café\n1.jpg#0\tdeux chiens\n"] {
    let dataset = try load(try #require(text.data(using: encoding)))
    #expect(dataset.images.map(\.captions) == [["un café"], ["deux chiens"]], "\(encoding)")
    let isSingleByte = [.isoLatin1, .windowsCP1252].contains(encoding)
    #expect(dataset.warnings.contains { $0.contains("Windows-1252") } == isSingleByte)
    #expect(dataset.brokenEntries.isEmpty)
  }
}

@Test func byteOrderMarksAndCarriageReturnsAreNoText() throws {
  for text in [
    "\u{FEFF}" + table, table.replacing("\n", with: "\r\n"), table.replacing("\n", with: "\r"),
    "\u{FEFF}" + coco,
    "0.jpg#0\tun café\r1.jpg#0\tdeux chiens\r",
  ] {
    let dataset = try load(Data(text.utf8))
    #expect(dataset.images.map(\.captions) == [["un café"], ["deux chiens"]], "\(text.debugDescription)")
  }
}

/// A name that is no UTF-8 is a name; of files in Windows-1252 the disk's spelling is taken.
@Test func namesAreBytesInCaptionFilesToo() throws {
  try withTemporaryFolder { folder in
    let odd: [UInt8] = Array("bad".utf8) + [0xFF, 0xFE] + Array(".jpg".utf8)
    for name in [odd, Array("café.jpg".utf8)] {
      let descriptor = open(FileName.path(folder + "/" + FileName.text(name)), O_CREAT | O_WRONLY, 0o600)
      #expect(descriptor >= 0)
      close(descriptor)
    }
    let latin: [UInt8] = Array("caf".utf8) + [0xE9] + Array(".jpg".utf8)
    for (before, after) in [
      ("image,caption\n", ",a man\n"), ("", "#0\ta man\n"), (#"{"image": ""#, "\", \"text\": \"a man\"}\n"),
    ] {
      let lines = [odd, latin].map {
        Array((before == "image,caption\n" ? "" : before).utf8) + $0 + Array(after.utf8)
      }
      let path = folder + "/captions"
      try Data((before == "image,caption\n" ? Array(before.utf8) : []) + lines.joined()).write(
        to: URL(fileURLWithPath: path))
      let dataset = try CaptionDataset(path: path, images: folder)
      #expect(dataset.images.map { FileName.bytes($0.fileName) } == [odd, Array("café.jpg".utf8)])
      #expect(try dataset.missingFiles() == [] && dataset.images.allSatisfy { $0.captions == ["a man"] })
    }
  }
}

@Test func archivesAreCalledByTheirNames() throws {
  for (bytes, name) in [
    ([0x1F, 0x8B, 8, 0], "gzip"), ([0x50, 0x4B, 3, 4], "ZIP"), (Array("BZh9".utf8), "bzip2"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "xz"), (Array("<!DOCTYPE html>".utf8), "HTML"),
  ] as [([UInt8], String)] {
    let error = #expect(throws: DatasetError.self) { _ = try load(Data(bytes)) }
    #expect(error?.description.contains(name) == true, "\(error?.description ?? "")")
  }
}

@Test func tablesWithoutTitlesAreRead() throws {
  for text in [
    "0.jpg\ta man, in a hat\n1.JPG\ttwo dogs\n", "0.jpg,\"a man, in a hat\"\n1.JPG,two dogs\n",
    "0.jpg|0|a man, in a hat\n1.JPG|0|two dogs\n", "0.jpg,a man, in a hat\n1.JPG,two dogs\n",
  ] {
    let dataset = try load(Data(text.utf8))
    #expect(dataset.images.map(\.captions) == [["a man, in a hat"], ["two dogs"]], "\(text)")
  }
}

/// Captions under ids alone are references, as COCO's results are.
@Test func listsOfIDsAreReferences() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/captions.json"
    try
      #"[{"image_id": 5, "caption": "a"}, {"image_id": "x", "caption": "b"}, {"image_id": 5, "caption": "c"}]"#
      .write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try ReferenceCaptions(path: path).captions[5] == ["a", "c"])
  }
}
