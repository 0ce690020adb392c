internal import CImageCodecs

/// TIFF and BigTIFF, by libtiff: the first page.
struct TIFFCodec: ImageCodec {
  let name = "TIFF"
  let mediaTypes = ["image/tiff"]
  let kinds = "a TIFF of grey, RGB, palette, CMYK or JPEG pixels with 1 to 16 bits a sample"
  let scales: [DecodingScale] = []
  let library: Library? = Library(CI_TIFF, package: "libtiff-dev")

  func matches(_ start: UnsafeRawBufferPointer) -> Bool {
    ["II*\0", "II+\0", "MM\0*", "MM\0+"].contains { start.starts(with: $0.utf8) }
  }

  /// The tag of the first directory; of a BigTIFF none is looked for.
  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation { Orientation(ofTIFF: file) }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    Imaging.decode(with: ci_read_tiff, file, options, into: sink, &report)
  }
}
