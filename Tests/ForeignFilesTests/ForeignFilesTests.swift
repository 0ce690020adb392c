import Foundation
import TestSupport
import Testing

extension ForeignReader: CustomTestStringConvertible { var testDescription: String { name } }

/// Files that nobody should have written: those that `tools/fuzz` found to do harm, and the seeds that it begins with.
@Suite struct ForeignFilesTests {
  @Test(arguments: ForeignReader.all) func harmNobody(reader: ForeignReader) throws {
    let folder = fixture(reader.name)
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let found = try names.map { ($0, try Array(Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)))) }
    let seeds = try reader.seeds()
    #expect(!seeds.isEmpty && seeds.allSatisfy { $0.count <= reader.longest })
    let scratch = try ScratchFile()
    for (name, bytes) in seeds.enumerated().map({ ("seed \($0)", $1) }) + found {
      #expect(throws: Never.self, "\(reader.name): \(name)") {
        try bytes.withUnsafeBytes { try reader.read($0, scratch) }
        // Cut short, and with a byte changed.
        try bytes.prefix(bytes.count / 2).withUnsafeBytes { try reader.read($0, scratch) }
        var changed = bytes
        for place in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 16)) { changed[place] ^= 0x20 }
        reader.repair?(&changed)
        try changed.withUnsafeBytes { try reader.read($0, scratch) }
      }
    }
  }

  /// A folder of finds that no test reads would be forgotten.
  @Test func everyFolderHasItsReader() throws {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: fixture(""))) ?? []
    #expect(Set(folders).subtracting(ForeignReader.all.map(\.name)).isEmpty)
  }
}
