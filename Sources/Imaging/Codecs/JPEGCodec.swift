internal import CImageCodecs

/// JPEG, by libjpeg.
struct JPEGCodec: ImageCodec {
  let name = "JPEG"
  let mediaTypes = ["image/jpeg"]
  let kinds = "an 8-bit baseline or progressive JPEG"
  /// Those for which libjpeg has vector code: any other takes longer than the next larger of these, 5/8 to 7/8 longer than
  /// the whole.
  let scales = [1, 2, 4].map { DecodingScale(eighths: $0) }

  func matches(_ start: UnsafeRawBufferPointer) -> Bool { start.starts(with: [0xFF, 0xD8]) }

  /// That of the first APP1 segment with EXIF data before the first scan.
  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation {
    var offset = 2
    while let marker = file.integer(at: offset, size: 2), marker >> 8 == 0xFF {
      if marker == 0xFFFF {  // padding
        offset += 1
        continue
      }
      if marker == 0xFF01 || (0xFFD0...0xFFD8).contains(marker) {  // no length follows
        offset += 2
        continue
      }
      guard marker != 0xFFDA, let length = file.integer(at: offset + 2, size: 2), length >= 2 else { break }
      let end = offset + 2 + length
      guard end <= file.count else { break }
      if marker == 0xFFE1, length >= 8, file[(offset + 4)..<(offset + 10)].elementsEqual("Exif\0\0".utf8) {
        return Orientation(ofTIFF: UnsafeRawBufferPointer(rebasing: file[offset + 10..<end]))
      }
      offset = end
    }
    return .upright
  }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    Imaging.decode(with: ci_read_jpeg, file, options, into: sink, &report)
  }
}
