internal import CImageCodecs

/// A format of pictures that is read. A new one is a file beside this and a line in `all`.
protocol ImageCodec: Sendable {
  /// As people call it: `PNG`.
  var name: String { get }
  /// As web browsers call it.
  var mediaTypes: [String] { get }
  /// Its kinds that are read, for the message about the others: `an 8-bit baseline or progressive JPEG`.
  var kinds: String { get }
  /// Scales below the whole at which it decodes faster.
  var scales: [DecodingScale] { get }
  /// The library that it needs; nil where there is none that the package can be built without.
  var library: Library? { get }
  /// Whether a file that begins so is of this format.
  func matches(_ start: UnsafeRawBufferPointer) -> Bool
  /// How the stored rows lie in the upright picture, as the metadata say; upright if they say nothing sensible.
  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation
  /// Decodes a whole file from its header on, row by row; only the header where there is no `sink`.
  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome
}

extension ImageCodec {
  var library: Library? { nil }

  /// Whether the package was built with what it needs.
  var isBuiltIn: Bool { library.map { ci_is_built_in($0.format) != 0 } ?? true }
}

/// A library that the package can be built without.
struct Library: Sendable {
  fileprivate let format: ci_format
  /// The package of Debian that has its headers.
  let package: String

  init(_ format: ci_format, package: String) {
    self.format = format
    self.package = package
  }
}

/// Takes a picture's stored rows as they are decoded, [width, 3], from the first to the last, and makes a picture of them.
protocol RowSink: AnyObject {
  func take(_ row: UnsafePointer<UInt8>)
  /// The picture, once all rows came.
  var image: RGBImage { get }
}

/// The formats that are read.
enum ImageCodecs {
  static let all: [any ImageCodec] = [
    PNGCodec(), JPEGCodec(), WebPCodec(), GIFCodec(), BMPCodec(), TIFFCodec(), HEIFCodec.avif, HEIFCodec.heic,
  ]

  /// The longest beginning that any signature, or guess at something else, looks at.
  static let signatureLength = 512

  /// The format of a file that begins so, whether it is built in or not.
  static func codec(of start: UnsafeRawBufferPointer) -> (any ImageCodec)? {
    all.first { $0.matches(start) }
  }

  /// Those that are built in, for messages: `PNG, JPEG or BMP`.
  static var names: String {
    let names = all.filter(\.isBuiltIn).map(\.name)
    return names.dropLast().joined(separator: ", ") + (names.count > 1 ? " or " : "") + (names.last ?? "")
  }
}

/// What the C decoders share: bytes in, rows out.
typealias CDecoder = (
  UnsafePointer<UInt8>?, Int, UnsafePointer<ci_options>?, ci_row_sink?, UnsafeMutableRawPointer?,
  UnsafeMutablePointer<ci_report>?
) -> ci_outcome

/// Runs a C decoder with a sink of rows.
func decode(
  with decoder: CDecoder, _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
  _ report: inout ci_report
) -> ci_outcome {
  var options = options
  let start = file.baseAddress?.assumingMemoryBound(to: UInt8.self)
  guard let sink else { return decoder(start, file.count, &options, nil, nil, &report) }
  var target: any RowSink = sink
  return withUnsafeMutablePointer(to: &target) { target in
    decoder(
      start, file.count, &options,
      { context, row in
        guard let context, let row else { return }
        context.assumingMemoryBound(to: (any RowSink).self).pointee.take(row)
      }, target, &report)
  }
}

extension ci_report {
  /// Sets the message, or as much of it as there is room for.
  mutating func say(_ text: String) {
    withUnsafeMutableBytes(of: &message) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      bytes.copyBytes(from: text.utf8.prefix(bytes.count - 1))
    }
  }
}
