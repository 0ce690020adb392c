/// Files that are no picture of a format that is read, called by their names.
enum ForeignFile {
  /// What bytes look like, for messages: `a PDF document`, `text`, ….
  static func guess(_ bytes: UnsafeRawBufferPointer) -> String {
    for (offset, signature, name) in signatures where bytes.dropFirst(offset).starts(with: signature.utf8) {
      return name
    }
    let start = bytes.prefix(ImageCodecs.signatureLength)
    if start.starts(with: [0x89, 0x50]) { return "the beginning of a damaged PNG image" }
    let isText = start.allSatisfy { $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }
    return isText ? text(start) : "unknown data"
  }

  /// Marked-up text begins with white space, a byte order mark or an XML declaration as it likes.
  private static func text(_ start: Slice<UnsafeRawBufferPointer>) -> String {
    let text = String(decoding: start, as: UTF8.self).lowercased()
    if text.contains("<!doctype html") || text.contains("<html") { return "an HTML page" }
    if text.contains("<svg") { return "an SVG image" }
    return text.contains("<?xml") ? "an XML document" : "text"
  }

  private static let signatures: [(offset: Int, signature: String, name: String)] = [
    (4, "ftypcrx ", "a raw image"), (4, "ftypjxl ", "a JPEG XL image"), (4, "ftyp", "a video"),
    (8, "AVI ", "a video"), (8, "WAVE", "a sound"), (4, "JXL ", "a JPEG XL image"),
    (0, "8BPS", "a Photoshop document"), (4, "jP  ", "a JPEG 2000 image"), (0, "%PDF", "a PDF document"),
    (0, "PK\u{3}\u{4}", "a ZIP archive"),
    (0, "version https://git-lfs", "a Git LFS pointer (git lfs pull fetches the image itself)"),
  ]
}
