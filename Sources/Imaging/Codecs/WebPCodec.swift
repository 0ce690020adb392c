internal import CImageCodecs

/// WebP, by libwebp: the first frame of an animation.
struct WebPCodec: ImageCodec {
  let name = "WebP"
  let mediaTypes = ["image/webp"]
  let kinds = "a WebP image"
  let scales: [DecodingScale] = []
  let library: Library? = Library(CI_WEBP, package: "libwebp-dev")

  func matches(_ start: UnsafeRawBufferPointer) -> Bool {
    start.starts(with: "RIFF".utf8) && start.dropFirst(8).starts(with: "WEBP".utf8)
  }

  /// The EXIF chunk's, with or without the mark of a JPEG's before it.
  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation {
    var offset = 12
    while let kind = file.integer(at: offset, size: 4),
      let length = file.integer(at: offset + 4, size: 4, littleEndian: true)
    {
      let end = offset + 8 + length
      guard end <= file.count else { break }
      if kind == 0x4558_4946 {  // "EXIF"
        let data = file[offset + 8..<end]
        let mark = data.starts(with: "Exif\0\0".utf8) ? 6 : 0
        return Orientation(ofTIFF: UnsafeRawBufferPointer(rebasing: data.dropFirst(mark)))
      }
      offset = end + length % 2
    }
    return .upright
  }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    Imaging.decode(with: ci_read_webp, file, options, into: sink, &report)
  }
}
