import Foundation
import Support
import TestSupport
import Testing

@testable import CaptionMetrics

@Suite struct METEORDataTests {
  private func error(_ path: String) -> String? {
    do {
      _ = try METEORData(path: path)
      return nil
    } catch { return "\(error)" }
  }

  @Test func whatIsMissingIsTold() throws {
    try withTemporaryFolder { folder in
      #expect(error("\(folder)/none") == "\(folder)/none: can't open: No such file or directory")
      #expect(
        error(folder)
          == "\(folder): expected meteor-1.5.jar, a folder that has it, or one that it was unpacked into, found none"
      )
      try FileManager.default.copyItem(
        atPath: METEORGolden.folder + "/meteor-1.5.jar", toPath: "\(folder)/meteor-1.5.jar")
      let table = "\(folder)/data/paraphrase-en.gz"
      #expect(error(folder) == "\(folder): expected the table of paraphrases at \(table), found none")
      try Data("PK".utf8).write(to: URL(fileURLWithPath: folder + "/other.jar"))
      #expect(error("\(folder)/other.jar") == "\(folder)/other.jar: can't read: not a zip archive")
    }
  }

  @Test func theTableIsReadWhenTextsAreScored() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(
        atPath: METEORGolden.folder + "/unpacked", toPath: "\(folder)/unpacked")
      try FileManager.default.createDirectory(
        atPath: folder + "/unpacked/data", withIntermediateDirectories: false)
      let table = folder + "/unpacked/data/paraphrase-en.gz"
      try Data("no gzip file".utf8).write(to: URL(fileURLWithPath: table))
      let data = try METEORData(path: folder + "/unpacked")
      #expect { try METEOR([Sample(candidate: ["a"], references: [["a"]])], data) } throws: { error in
        "\(error)" == "\(table): can't read: not what gzip or zip write, near byte 2: incorrect header check"
      }
    }
  }
}
