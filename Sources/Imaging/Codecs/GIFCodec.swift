internal import CImageCodecs

/// GIF, by giflib: the first frame.
struct GIFCodec: ImageCodec {
  let name = "GIF"
  let mediaTypes = ["image/gif"]
  let kinds = "a GIF image"
  let scales: [DecodingScale] = []
  let library: Library? = Library(CI_GIF, package: "libgif-dev")

  func matches(_ start: UnsafeRawBufferPointer) -> Bool {
    start.starts(with: "GIF87a".utf8) || start.starts(with: "GIF89a".utf8)
  }

  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation { .upright }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    Imaging.decode(with: ci_read_gif, file, options, into: sink, &report)
  }
}
