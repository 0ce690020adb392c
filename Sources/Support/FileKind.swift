/// Tells by its first bytes what a file is that was taken for something else.
public enum FileKind {
  /// What it is and what to do about it, for instance `an HTML page, …`; nil: nothing that is known.
  public static func name(ofFileThatBegins bytes: some Collection<UInt8>) -> String? {
    let start = Array(bytes.prefix(512))
    if start.isEmpty { return "an empty file" }
    for (signature, offset, name) in signatures
    where start.count >= offset + signature.count
      && start[offset..<(offset + signature.count)].elementsEqual(signature)
    {
      return name
    }
    let text = String(decoding: start.drop { $0 <= 0x20 || [0xEF, 0xBB, 0xBF].contains($0) }, as: UTF8.self)
      .lowercased()
    if ["<!doctype html", "<html", "<head", "<body"].contains(where: text.hasPrefix) {
      return "an HTML page; was it a download that needed a login?"
    }
    if text.hasPrefix("<?xml") || text.hasPrefix("<!doctype") || text.hasPrefix("<error") {
      return "an XML file"
    }
    // ONNX: a protobuf message whose first field is a small version, the next the producer's name or what follows it.
    if start.count > 3, start[0] == 0x08, start[1] < 0x40, [0x12, 0x1A, 0x3A].contains(start[2]) {
      return "an ONNX model; captioner convert reads weights in it"
    }
    if start.first == 0x80, start.count > 1, (2...5).contains(start[1]) {
      return "a Python pickle; captioner convert reads weights in it"
    }
    if text.hasPrefix("{") || text.hasPrefix("[") { return "a JSON file" }
    if start.allSatisfy({ $0 >= 0x20 || 9...13 ~= $0 }) { return "a text file" }
    return nil
  }

  private static let signatures: [(bytes: [UInt8], offset: Int, name: String)] = [
    (
      Array("version https://git-lfs.github.com/spec/".utf8), 0,
      "a Git LFS pointer, not the file itself; fetch it with git lfs pull"
    ),
    (
      [0x50, 0x4B, 0x03, 0x04], 0,
      "a ZIP archive, as PyTorch saves (.pt, .pth); captioner convert reads weights in it"
    ),
    ([0x50, 0x4B, 0x05, 0x06], 0, "an empty ZIP archive"),
    (
      [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], 0,
      "an HDF5 file, as Keras saves (.h5); captioner convert reads weights in it"
    ),
    ([3, 0, 0, 0, 1, 0, 0, 0], 0, "a Torch 7 file; captioner convert reads neuraltalk2's captioners in it"),
    (Array("GGUF".utf8), 0, "a GGUF model"), (Array("TFL3".utf8), 4, "a TensorFlow Lite model"),
    (
      [0x93] + Array("NUMPY".utf8), 0,
      "a NumPy array; captioner convert reads weights in archives of them (.npz)"
    ), ([0x1F, 0x8B], 0, "a gzip archive; unpack it first"),
    (Array("BZh".utf8), 0, "a bzip2 archive; unpack it first"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A], 0, "an xz archive; unpack it first"),
    ([0x28, 0xB5, 0x2F, 0xFD], 0, "a Zstandard archive; unpack it first"),
    (Array("ustar".utf8), 257, "a tar archive; unpack it first"),
    ([0x89] + Array("PNG".utf8), 0, "a PNG picture"), ([0xFF, 0xD8, 0xFF], 0, "a JPEG picture"),
    (Array("%PDF".utf8), 0, "a PDF document"), ([0x7F] + Array("ELF".utf8), 0, "a program"),
    (Array("SQLite format 3".utf8), 0, "an SQLite database"),
  ]
}
