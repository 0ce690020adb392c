import Datasets
import Foundation
import TestSupport
import Testing

private func dataset(_ name: String) throws -> DistributedDataset {
  try #require(DistributedDataset.all.first { $0.name == name })
}

private func write(_ text: String, to path: String) throws {
  let url = URL(fileURLWithPath: path)
  try FileManager.default.createDirectory(
    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(text.utf8).write(to: url)
}

/// Flickr8k as its authors give it, of some photos: one that no list has, as in theirs.
private func flickr8k(in folder: String, photos: Int = 8000) throws {
  var (tokens, lists) = ("", [String](repeating: "", count: 3))
  for number in 0..<photos {
    let name = "\(number).jpg"
    for caption in 0..<5 { tokens += "\(name)#\(caption)\tA dog runs .\n" }
    lists[number < photos * 6 / 8 ? 0 : number < photos * 7 / 8 ? 1 : 2] += name + "\r\n"
    try write("", to: "\(folder)/Flicker8k_Dataset/\(name)")
  }
  tokens += "none.jpg.1#0\tA dog .\n"
  try write(tokens, to: folder + "/Flickr8k.token.txt")
  for (list, name) in zip(lists, ["train", "dev", "test"]) {
    try write(list, to: "\(folder)/Flickr_8k.\(name)Images.txt")
  }
}

@Test func aWholeFolderIsFoundWhole() throws {
  try withTemporaryFolder { folder in
    try flickr8k(in: folder)
    var seen: [Int] = []
    let check = try FolderCheck(folder, dataset("flickr8k")) { done, _ in seen.append(done) }
    #expect(check.parts.flatMap(\.problems) == [])
    #expect(check.isWhole && check.form == "as its authors give it" && seen == [1, 2, 3, 4])
    #expect(check.parts.map(\.split) == ["train", "val", "test"])
    #expect(check.parts.map(\.imageCount) == [6000, 1000, 1000])
    #expect(
      check.training
        == ["--captions", folder + "/Flickr8k.token.txt", "--images", folder + "/Flicker8k_Dataset"])
  }
}

@Test func whatIsMissingIsNamed() throws {
  try withTemporaryFolder { folder in
    try flickr8k(in: folder, photos: 16)
    try FileManager.default.removeItem(atPath: folder + "/Flicker8k_Dataset/3.jpg")
    let check = try FolderCheck(folder, dataset("flickr8k"))
    let train = check.parts[0]
    #expect(!check.isWhole && train.missingPhotos == 1)
    #expect(
      train.problems == [
        "\(folder)/Flickr8k.token.txt: expected 6000 images, found 12",
        "\(folder)/Flickr8k.token.txt: expected 30000 captions, found 60",
        "1 of 12 photos are missing, the first \(folder)/Flicker8k_Dataset/3.jpg",
      ])
    try FileManager.default.removeItem(atPath: folder + "/Flicker8k_Dataset")
    let photoless = try FolderCheck(folder, dataset("flickr8k"))
    #expect(
      photoless.parts[0].problems[0] == "\(folder)/Flicker8k_Dataset: missing, the folder of its photos")
    #expect(photoless.training == nil)
    #expect(throws: DatasetError.self) { try FolderCheck(folder + "/none", dataset("coco")) }
  }
}

/// Of 2014's files and 2017's those that are there are looked at, and a folder that has nothing is one of 2017.
@Test func theFormThatIsThereIsTaken() throws {
  try withTemporaryFolder { folder in
    #expect(try FolderCheck(folder, dataset("coco")).form == "of 2017")
    let file =
      #"{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "caption": "A dog."}]}"#
    for split in ["train2014", "val2014"] {
      try write(file, to: "\(folder)/annotations/captions_\(split).json")
      try write("", to: "\(folder)/\(split)/a.jpg")
    }
    let check = try FolderCheck(folder, dataset("coco"))
    #expect(check.form == "of 2014" && check.parts.map(\.missingPhotos) == [0, 0])
    #expect(
      check.training == [
        "--captions", folder + "/annotations/captions_train2014.json", "--images", folder + "/train2014",
        "--validation-captions", folder + "/annotations/captions_val2014.json", "--validation-images",
        folder + "/val2014",
      ])
    // Broken, it is said what and where.
    try write("{", to: folder + "/annotations/captions_val2014.json")
    let broken = try FolderCheck(folder, dataset("coco"))
    #expect(broken.parts[1].problems.contains { $0.contains("not valid JSON") })
  }
}

@Test func karpathysFileHasThePhotosOfBothFolders() throws {
  try withTemporaryFolder { folder in
    try write(karpathy, to: folder + "/dataset_coco.json")
    for name in ["val2014/a", "train2014/b", "val2014/c", "val2014/d"] {
      try write("", to: "\(folder)/images/\(name).jpg")
    }
    let check = try FolderCheck(folder, dataset("karpathy"))
    #expect(check.form == "of coco" && check.parts.map(\.imageCount) == [2, 1, 1])
    // The folder itself is looked for first, and is none of photos.
    #expect(check.parts.map(\.images) == [String](repeating: folder + "/images", count: 3))
  }
}
