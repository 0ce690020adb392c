/// The image formats that are read, told by their first bytes.
enum ImageFormat: String {
  case png = "PNG"
  case jpeg = "JPEG"

  init?(signatureOf bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8]) {
      self = .jpeg
    } else {
      return nil
    }
  }

  /// What other bytes look like, for messages: `a GIF image`, `text`, ….
  static func guess(_ bytes: UnsafeRawBufferPointer) -> String {
    for (offset, signature, name) in knownSignatures
    where bytes.dropFirst(offset).starts(with: signature.utf8) {
      return name
    }
    let start = bytes.prefix(256)
    if start.starts(with: [0x89, 0x50]) { return "the beginning of a damaged PNG image" }
    let isText = start.allSatisfy { $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }
    return isText ? "text" : "unknown data"
  }

  private static let knownSignatures: [(offset: Int, signature: String, name: String)] = [
    (0, "GIF8", "a GIF image"), (8, "WEBP", "a WebP image"), (0, "BM", "a BMP image"),
    (0, "II*\0", "a TIFF image"), (0, "MM\0*", "a TIFF image"), (4, "ftypavif", "an AVIF image"),
    (4, "ftyphei", "a HEIC image"), (4, "ftypmif1", "a HEIF image"), (4, "ftyp", "a video or HEIF file"),
    (4, "JXL ", "a JPEG XL image"), (4, "jP  ", "a JPEG 2000 image"), (0, "%PDF", "a PDF document"),
    (0, "<svg", "an SVG image"), (0, "<!DOCTYPE html", "an HTML page"), (0, "<html", "an HTML page"),
    (0, "PK\u{3}\u{4}", "a ZIP archive"),
  ]
}
