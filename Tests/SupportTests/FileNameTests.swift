import Support
import Testing

@Suite struct FileNameTests {
  /// A slash divides, whatever follows it: to `Character` an accent would be one with it.
  @Test(arguments: [
    ("a/b/c.jpg", "a/b/", "c.jpg"), ("c.jpg", "", "c.jpg"), ("/", "/", ""), ("a/", "a/", ""),
    ("a/\u{301}b.jpg", "a/", "\u{301}b.jpg"), ("a/\u{200D}", "a/", "\u{200D}"), ("", "", ""),
  ])
  func folderAndName(path: String, folder: String, name: String) {
    let parts = FileName.split(path)
    #expect(parts.folder.utf8.elementsEqual(folder.utf8) && parts.name.utf8.elementsEqual(name.utf8))
  }

  @Test(arguments: [[0x61, 0xFF, 0x2F, 0x80], [0xC3, 0xA9], [0xF4, 0x8F, 0xBE, 0x80], []] as [[UInt8]])
  func everyByteComesBack(bytes: [UInt8]) {
    #expect(FileName.bytes(FileName.text(bytes)) == bytes)
  }
}
