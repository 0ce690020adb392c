import Datasets
import Foundation
import TestSupport
import Testing

private let composed = "caf\u{E9}.jpg"
private let decomposed = "cafe\u{301}.jpg"

/// A folder of these files, each empty, and the captions of those.
private func names(_ files: [String], _ named: [String]) throws -> CaptionDataset {
  try withTemporaryFolder { folder in
    try FileManager.default.createDirectory(atPath: folder + "/im/sub", withIntermediateDirectories: true)
    for file in files {
      let descriptor = open(folder + "/im/" + file, O_CREAT | O_WRONLY, 0o600)
      close(descriptor)
    }
    let lines = named.map { $0.replacing("FOLDER", with: folder + "/im") + "#0\tx" }
    try lines.joined(separator: "\n").write(toFile: folder + "/t", atomically: false, encoding: .utf8)
    return try CaptionDataset(path: folder + "/t", images: folder + "/im")
  }
}

private func bytes(_ names: [String]) -> [[UInt8]] { names.map { Array($0.utf8) } }

@Test func namesThatDifferInNormalisationAreTwo() throws {
  let dataset = try names([composed, decomposed], [composed, decomposed])
  #expect(bytes(dataset.images.map(\.fileName)) == bytes([composed, decomposed]))
  #expect(dataset.warnings.isEmpty && dataset.repeatedFiles().isEmpty)
  #expect(CaptionDataset.merged([dataset, dataset]).repeatedFiles().count == 2)
  #expect(dataset.divided(validationShare: 0.5, seed: 1).validation.images.count == 1)
}

@Test func theOtherNormalisationIsTakenAndSaid() throws {
  for (there, named) in [(composed, decomposed), (decomposed, composed)] {
    let dataset = try names([there], [named])
    #expect(bytes(dataset.images.map(\.fileName)) == bytes([there]))
    #expect(dataset.warnings.count == 1)
    #expect(
      dataset.warnings.first?.contains("1 files are there under the other Unicode normalisation") == true)
  }
}

@Test func absolutePathsAndBackslashesAreUnderstood() throws {
  let files = ["a.jpg", "sub/b.jpg", "c\\d.jpg"]
  let dataset = try names(
    files,
    ["FOLDER/a.jpg", "sub\\b.jpg", "c\\d.jpg", "FOLDER/sub/../sub/none.jpg", "/etc/passwd", "..\\a.jpg"])
  #expect(dataset.images.map(\.fileName) == ["a.jpg", "sub/b.jpg", "c\\d.jpg", "sub/none.jpg", "..\\a.jpg"])
  #expect(dataset.brokenEntries.count == 1 && dataset.brokenEntries[0].contains("/etc/passwd"))
}

/// A folder is left by `..`, also where the next name begins with an accent.
@Test(arguments: ["../a.jpg", "../\u{301}a.jpg", "sub/../\u{301}../../a.jpg", "..", "sub/..", "..//\u{301}"])
func nothingOutsideIsRead(_ name: String) throws {
  let dataset = try names(["a.jpg"], ["a.jpg", name])
  #expect(dataset.images.map(\.fileName) == ["a.jpg"] && dataset.brokenEntries.count == 1)
}

/// Caption files keep the paths of the machine that they were made on.
@Test func absolutePathsOfAnotherMachineAreFound() throws {
  let dataset = try names(
    ["a.jpg", "sub/b.jpg"],
    ["C:\\data\\im\\sub\\b.jpg", "/home/me/im/a.jpg", "D:/x/none.jpg", "/home/me/none.jpg"])
  #expect(dataset.images.map(\.fileName) == ["sub/b.jpg", "a.jpg", "D:/x/none.jpg"])
  #expect(
    dataset.brokenEntries.count == 1 && dataset.warnings.contains { $0.contains("2 files are there under") })
}
