import Datasets
import Foundation
import Kernels
import TestSupport
import Testing

private let photos = ["jpeg-orientation-1.jpg", "jpeg-orientation-2.jpg", "jpeg-orientation-3.jpg"]

/// A folder with three photos, a copy of one, a damaged one and an empty file, and both sets about them.
private func check(
  train: String, validation: String, threads: Int = 2, _ body: (DataCheck, String) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    for (number, name) in photos.enumerated() {
      try FileManager.default.copyItem(atPath: photo("decode/" + name), toPath: "\(folder)/\(number).jpg")
    }
    try FileManager.default.copyItem(atPath: folder + "/0.jpg", toPath: folder + "/copy.jpg")
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/1.jpg"))
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: folder + "/half.jpg"))
    try Data().write(to: URL(fileURLWithPath: folder + "/empty.jpg"))
    func dataset(_ name: String, _ text: String) throws -> CaptionDataset {
      try text.write(toFile: folder + "/" + name, atomically: false, encoding: .utf8)
      return try CaptionDataset(path: folder + "/" + name, images: folder)
    }
    var reports: [Int] = []
    let result = DataCheck(
      train: try dataset("train", train), validation: try dataset("val", validation), minimumCount: 1,
      pool: ThreadPool(threads: threads)
    ) { done, total in reports.append(total - done) }
    #expect(reports.last == 0)
    try body(result, folder)
  }
}

@Test func goodDataHasNothingToReport() throws {
  try check(train: "0.jpg#0\tA dog.\n1.jpg#0\tA cat.", validation: "2.jpg#0\tA dog and a cat.") { check, _ in
    #expect(check.usable && check.train.unusable == 0 && check.validation.unusable == 0)
    #expect(check.sharedImages.isEmpty && check.train.repeatedImages.isEmpty)
    #expect(check.train.images == 2 && check.train.captions == 2 && check.vocabularySize == 7)
    #expect(check.train.unknownShare == 0 && abs(check.validation.unknownShare - 0.2) < 1e-9)
  }
}

@Test(arguments: [1, 3]) func everyKindOfTroubleIsFound(threads: Int) throws {
  let train = """
    0.jpg#0\tA dog.
    0.jpg#1\tA dog.
    half.jpg#0\tA cat.
    empty.jpg#0\tA cat.
    none.jpg#0\t...
    copy.jpg#0\tA dog.
    1.jpg#0\t
    """
  try check(train: train, validation: "0.jpg#0\tA dog.\n2.jpg#0\tA cow.", threads: threads) { check, folder in
    let found = check.train
    #expect(!check.usable && found.unusable == 6)
    #expect(found.missingImages.map(\.image) == [folder + "/none.jpg"])
    #expect(found.missingImages[0].reason.hasSuffix("can't read: No such file or directory"))
    #expect(found.corruptImages.map(\.image) == [folder + "/half.jpg", folder + "/empty.jpg"])
    #expect(found.corruptImages[0].reason.contains("expected a whole JPEG image"))
    #expect(found.imagesWithoutCaptions == [folder + "/1.jpg"])
    #expect(found.emptyCaptions == [folder + "/train: line 7"])
    #expect(found.captionsWithoutWords == [folder + "/none.jpg: ..."])
    #expect(found.repeatedCaptions == [folder + "/0.jpg: A dog."])
    #expect(found.repeatedImages == [.init(image: folder + "/copy.jpg", first: folder + "/0.jpg")])
    #expect(check.sharedImages == [.init(image: folder + "/0.jpg", first: folder + "/0.jpg")])
    #expect(check.validation.unusable == 0 && abs(check.validation.unknownShare - 0.25) < 1e-9)
  }
}
