internal import CImageCodecs

/// PNG, by libpng.
struct PNGCodec: ImageCodec {
  let name = "PNG"
  let mediaTypes = ["image/png"]
  let kinds = "a PNG"
  let scales: [DecodingScale] = []

  func matches(_ start: UnsafeRawBufferPointer) -> Bool {
    start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  /// The eXIf chunk's; no other chunk is looked into.
  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation {
    var offset = 8
    while let length = file.integer(at: offset, size: 4), let kind = file.integer(at: offset + 4, size: 4) {
      let end = offset + 8 + length
      guard end <= file.count else { break }
      if kind == 0x6558_4966 {  // "eXIf"
        return Orientation(ofTIFF: UnsafeRawBufferPointer(rebasing: file[offset + 8..<end]))
      }
      offset = end + 4
    }
    return .upright
  }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    Imaging.decode(with: ci_read_png, file, options, into: sink, &report)
  }
}
