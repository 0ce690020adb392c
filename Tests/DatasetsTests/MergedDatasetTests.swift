import Datasets
import Foundation
import TestSupport
import Testing

/// Calls `body` with the paths of two caption files in a folder.
private func withTwo(_ body: (_ folder: String, _ first: String, _ second: String) throws -> Void) throws {
  try withTemporaryFolder { folder in
    let (first, second) = (folder + "/first.json", folder + "/second.json")
    try
      #"[{"file_path": "a.jpg", "id": 0, "captions": ["x", ""]}, {"file_path": "b.jpg", "id": 5, "captions": ["y"]}]"#
      .write(toFile: first, atomically: false, encoding: .utf8)
    try
      #"[{"file_path": "a.jpg", "id": 5, "captions": ["z"]}, {"file_path": "c.jpg", "id": 1, "captions": ["u", "v"]}]"#
      .write(toFile: second, atomically: false, encoding: .utf8)
    try body(folder, first, second)
  }
}

@Test func datasetsAreMerged() throws {
  try withTwo { _, first, second in
    let merged = try CaptionDataset(paths: [first, second], images: ["one", "two"])
    #expect(merged.images.map(\.path) == ["one/a.jpg", "one/b.jpg", "two/a.jpg", "two/c.jpg"])
    // 0, 1 and 5 are taken.
    #expect(merged.images.map(\.id) == [0, 5, 2, 1])
    #expect(merged.captionCount == 5 && merged.emptyCaptions == [first + ": [0].captions[1]"])
    #expect(merged.warnings.count == 2 && merged.warnings[1].hasPrefix("1 images have an id that an earlier"))
  }
}

@Test func filesThatComeTwiceAreNamed() throws {
  try withTwo { folder, first, second in
    for twin in [folder, folder + "/", folder + "/../" + folder.split(separator: "/").last!] {
      let merged = try CaptionDataset(paths: [first, second], images: [folder, twin])
      #expect(merged.repeatedFiles() == [twin + "/a.jpg"])
      #expect(merged.warnings.last == "1 images come more than once, the first \(twin)/a.jpg")
    }
    #expect(try CaptionDataset(path: first, images: folder).repeatedFiles() == [])
  }
}

@Test func oneDatasetStaysAsItIs() throws {
  try withTwo { folder, first, _ in
    let one = try CaptionDataset(path: first, images: folder)
    #expect(CaptionDataset.merged([one]) == one)
    #expect(CaptionDataset.merged([]).images.isEmpty)
    #expect(try CaptionDataset(paths: [first, first], images: [folder]).captionCount == 4)
  }
}

@Test func foldersAreAsManyAsFiles() throws {
  try withTwo { folder, first, second in
    #expect(throws: DatasetError.folders(captions: 2, folders: 3)) {
      try CaptionDataset(paths: [first, second], images: ["a", "b", "c"])
    }
    #expect(throws: DatasetError.folders(captions: 1, folders: 0)) {
      try CaptionDataset(paths: [first], images: [])
    }
    #expect(
      "\(DatasetError.folders(captions: 2, folders: 3))"
        == "2 caption files: expected 1 or 2 folders of images, found 3")
  }
}
