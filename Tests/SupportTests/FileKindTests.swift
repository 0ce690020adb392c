import Support
import Testing

@Test(arguments: [
  ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
  ("<!DOCTYPE html>\n<html>", "HTML"),
  ("\n  <HTML lang=en>", "HTML"), ("PK\u{3}\u{4}\u{14}", "PyTorch"), ("\u{8}\u{7}\u{12}\u{7}pytorch", "ONNX"),
  ("GGUF\u{3}", "GGUF"), ("", "empty"), ("{\"a\": 1}", "JSON"),
]) func foreignFilesAreCalledByTheirNames(text: String, name: String) {
  #expect(FileKind.name(ofFileThatBegins: text.utf8)?.contains(name) == true)
}

@Test(
  arguments: [
    ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], "HDF5"), ([0x80, 0x02, 0x8A], "pickle"),
    ([0x1F, 0x8B, 8], "gzip"), ([0xFF, 0xD8, 0xFF, 0xE0], "JPEG"),
    ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "NumPy"),
  ] as [([UInt8], String)]) func foreignBytesAreCalledByTheirNames(bytes: [UInt8], name: String)
{
  #expect(FileKind.name(ofFileThatBegins: bytes)?.contains(name) == true)
  #expect(FileKind.name(ofFileThatBegins: [0x58, 0x02, 0, 0, 0, 0, 0, 0, 0x7B]) == nil)
}
