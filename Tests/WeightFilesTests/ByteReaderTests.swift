import Foundation
import Support
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct ByteReaderTests {
  @Test func readsUpToItsEndAndNoFurther() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a"
      try Data([1, 0, 2, 0, 0, 0, 0x68, 0x69]).write(to: URL(fileURLWithPath: path))
      var reader = try ByteReader(MappedFile(path: path), 0..<7)
      #expect(try reader.integer("a number", as: UInt16.self) == 1)
      #expect(try reader.integer("a number", as: Int32.self) == 2)
      #expect(throws: reader.malformed("2 bytes of a name", "1")) { try reader.text(2, of: "a name") }
      #expect(throws: WeightFileError.self) { try reader.range(-1, of: "a name") }
      #expect(try reader.text(1, of: "a name") == "h")
      #expect(reader.left == 0)
      #expect(throws: WeightFileError.self) { try reader.move(to: 8, for: "a table") }
      try reader.move(to: 0, for: "a table")
      #expect(reader.left == 7)
    }
  }
}
