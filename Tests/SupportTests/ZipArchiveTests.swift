import Foundation
import Support
import TestSupport
import Testing

@Suite struct ZipArchiveTests {
  /// Python's `zipfile`: `a/stored.txt` (stored), `packed.txt` (deflated) and the folder `empty/`.
  private let bytes = Data(
    base64Encoded: """
      UEsDBBQAAAAAAAAAIQCBqilgCQAAAAkAAAAMAAAAYS9zdG9yZWQudHh0YXMgaXQgaXMKUEsDBBQAAAAIAAAAIQAprnmCEgAAAEABAAAKAAAAcGFja2Vk
      LnR4dEtMT8zMU0jMS1FIhLBG+STxAVBLAwQUAAAAAAAAACEAAAAAAAAAAAAAAAAABgAAAGVtcHR5L1BLAQIUAxQAAAAAAAAAIQCBqilgCQAAAAkAAAAM
      AAAAAAAAAAAAAACAAQAAAABhL3N0b3JlZC50eHRQSwECFAMUAAAACAAAACEAKa55ghIAAABAAQAACgAAAAAAAAAAAAAAgAEzAAAAcGFja2VkLnR4dFBL
      AQIUAxQAAAAAAAAAIQAAAAAAAAAAAAAAAAAGAAAAAAAAAAAAAACAAW0AAABlbXB0eS9QSwUGAAAAAAMAAwCmAAAAkQAAAAAA
      """, options: .ignoreUnknownCharacters)!

  private func archive<R>(_ bytes: Data, _ body: (ZipArchive) throws -> R) throws -> R {
    try withTemporaryFolder { folder in
      let path = folder + "/a.zip"
      try bytes.write(to: URL(fileURLWithPath: path))
      return try body(try ZipArchive(path: path))
    }
  }

  /// The reason for which the archive, or a file of it, is refused.
  private func reason(_ bytes: Data, _ name: String = "packed.txt", limit: Int = 1000) -> String? {
    do {
      _ = try archive(bytes) { try $0.bytes(of: name, limit: limit) }
      return nil
    } catch { return (error as? FileError)?.reason }
  }

  @Test func filesAreReadStoredAndDeflated() throws {
    try archive(bytes) { archive in
      #expect(archive.names == ["a/stored.txt", "packed.txt", "empty/"])
      #expect(try archive.bytes(of: "a/stored.txt", limit: 9) == Array("as it is\n".utf8))
      let packed = try archive.bytes(of: "packed.txt", limit: 320)
      #expect(packed == Array(String(repeating: "again and again ", count: 20).utf8))
      #expect(try archive.bytes(of: "empty/", limit: 0) == [])
    }
  }

  @Test func whatIsNotThereOrTooLargeIsRefused() {
    #expect(reason(bytes, "none") == "not in the archive")
    #expect(reason(bytes, limit: 319) == "320 bytes, more than 319")
    #expect(reason(Data("no archive at all, but long enough".utf8)) == "not a zip archive")
    #expect(reason(Data()) == "not a zip archive")
  }

  /// Each by one byte that is another.
  @Test func damageIsTold() throws {
    func changed(_ place: Int, to value: UInt8) -> Data {
      var bytes = bytes
      bytes[place] = value
      return bytes
    }
    let directory = try #require(bytes.range(of: Data("PK\u{1}\u{2}".utf8))?.lowerBound)
    let packed = try #require(
      bytes.range(of: Data("PK\u{1}\u{2}".utf8), in: directory + 4..<bytes.count)?.lowerBound)
    #expect(reason(changed(packed + 8, to: 1)) == "encrypted")
    #expect(reason(changed(packed + 10, to: 12)) == "packed by method 12, not by deflate (8)")
    #expect(reason(changed(packed + 16, to: 0)) == "the checksum is another")
    #expect(reason(changed(packed + 24, to: 0x3F)) == "expected 319 bytes, found more")
    #expect(reason(changed(packed + 24, to: 0x41)) == "expected 321 bytes, found 320")
    #expect(reason(changed(packed + 27, to: 0x7F), limit: .max) == "more bytes than it can hold")
    #expect(reason(changed(packed + 42, to: 0xFF)) == "no file where the archive's directory says")
    #expect(reason(changed(packed, to: 0)) == "entry 2 of 3 of the archive's directory is damaged")
    #expect(reason(changed(bytes.count - 6, to: 0xFF)) == "the archive's directory is not where it says")
    let data = try #require(bytes.range(of: Data("packed.txt".utf8))?.upperBound)
    #expect(reason(changed(data, to: 0xFF))?.hasPrefix("not what gzip or zip write") == true)
    for count in 0..<bytes.count { #expect(reason(bytes.prefix(count)) != nil) }
  }
}
