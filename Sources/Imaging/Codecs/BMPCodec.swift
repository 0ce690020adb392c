internal import CImageCodecs

/// BMP, of Windows and OS/2.
struct BMPCodec: ImageCodec {
  let name = "BMP"
  let mediaTypes = ["image/bmp"]
  let kinds = "a BMP of pixels, masks or run lengths"
  let scales: [DecodingScale] = []

  /// Two letters begin many a text: the size of the header behind them must be one that there is.
  func matches(_ start: UnsafeRawBufferPointer) -> Bool {
    guard start.starts(with: "BM".utf8) else { return false }
    guard let header = start.integer(at: 14, size: 4, littleEndian: true) else { return false }
    return [12, 16, 40, 52, 56, 64, 108, 124].contains(header)
  }

  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation { .upright }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    Imaging.decode(with: ci_read_bmp, file, options, into: sink, &report)
  }
}
