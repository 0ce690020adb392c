internal import Glibc
internal import Support

extension ImageFiles {
  /// How the names of pictures end, of those too that are not read: a file called so that is none is worth a word.
  private static let endings: Set<String> = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "tif", "tiff", "heic", "heif",
    "hif",
    "avif", "jxl", "jp2", "j2k",
  ]

  /// Whether a file that was found in a folder is none that anybody would want a caption of: neither its name says that it
  /// is a picture, nor do its first bytes. What can't be opened is not passed over.
  static func isOther(_ path: String) -> Bool {
    let name = path.utf8.suffix(5)
    if let dot = name.lastIndex(of: UInt8(ascii: ".")),
      endings.contains(String(decoding: name[name.index(after: dot)...], as: UTF8.self).lowercased())
    {
      return false
    }
    guard let (descriptor, size) = try? open(path) else { return false }
    defer { close(descriptor) }
    var file = FileBytes()
    let start = min(size ?? 0, ImageCodecs.signatureLength)
    guard (try? file.read(descriptor, upTo: start, name: path)) != nil else { return false }
    return ImageCodecs.codec(of: file.bytes) == nil && !ForeignFile.guess(file.bytes).contains("image")
  }
}
