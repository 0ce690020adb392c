internal import CImageCodecs
internal import Glibc

/// Reads pictures from files: PNG, JPEG and BMP, and WebP, GIF, TIFF, HEIC and AVIF where their libraries were there when
/// the package was built; told apart by content, turned upright as their metadata say. Of several pictures the first is
/// read.
///
/// Transparent pixels are laid over white, 16-bit samples keep their upper byte, CMYK becomes RGB the simple way (ink
/// times black, no colour profile). What is made smaller is decoded as `decoding` says. Copies share one budget of
/// memory: where pictures that are read at once would need more, some wait. Paths are `FileName` texts.
public struct ImageReader: Sendable {
  /// The most pixels that are decoded.
  public var maximumPixels = ImageReader.usualMaximumPixels
  /// Whether what is there of damaged files is taken, missing rows grey.
  public var isLenient = false
  /// How pictures are decoded that are then made smaller; whole pictures are exact.
  public var decoding = PhotoDecoding.scaled
  /// Whether `-` means standard input; else it is a file's name.
  public var takesStandardInput = false
  /// Takes what is odd about files that were read: a line each, beginning with the path.
  public var warn: @Sendable (String) -> Void = { _ in }
  private let budget: MemoryBudget

  /// The formats that are read by this build, as people call them: `PNG, JPEG or BMP`.
  public static var formats: String { ImageCodecs.names }
  /// The same, as web browsers call them: `image/png`.
  public static var mediaTypes: [String] { ImageCodecs.all.filter(\.isBuiltIn).flatMap(\.mediaTypes) }

  /// 512 Mi pixels: about five seconds of decoding.
  public static let usualMaximumPixels = 1 << 29
  /// 640 MiB: a progressive JPEG of 200 megapixels, whose coefficients are all kept.
  public static let usualMemory = 640 << 20

  /// A reader with the usual limits.
  /// - Parameter memory: bytes that decodes in flight may take together; a picture that alone takes more is refused.
  public init(memory: Int = ImageReader.usualMemory) { budget = MemoryBudget(total: memory) }

  /// From now on the process's threads share two heaps: many that decode then fit in a limited address space, as under
  /// `ulimit -v`. For programs, at their start.
  public static func shareHeaps() { ci_share_heaps() }

  /// A picture, and what is odd about its file.
  struct Reading {
    let image: RGBImage
    let warning: String?
  }

  /// The whole upright picture in a file.
  /// - Throws: `ImageError` when the file can't be read, is no picture, or is damaged, unsupported or huge.
  public func image(contentsOf path: String) throws(ImageError) -> RGBImage {
    let reading = try read(path) { (bytes, name) throws(ImageError) in try whole(bytes, name: name) }
    if let warning = reading.warning { warn(warning) }
    return reading.image
  }

  /// A picture made smaller, as `RGBImage.thumbnail`, in memory for little more than the result.
  /// - Throws: `ImageError`
  public func thumbnail(contentsOf path: String, side: Int) throws(ImageError) -> RGBImage {
    try reduced(contentsOf: path, side: side).image
  }

  /// The same, and the size of the upright picture.
  /// - Throws: `ImageError`
  public func reduced(
    contentsOf path: String, side: Int
  ) throws(ImageError) -> (image: RGBImage, size: ImageSize) {
    var size = ImageSize(width: 0, height: 0)
    let reading = try read(path) { (bytes, name) throws(ImageError) in
      try resampled(bytes, name: name) { upright in
        size = upright
        return (ImageCrop(all: upright), ResizedWindow(all: upright.thumbnail(side: side)))
      }
    }
    if let warning = reading.warning { warn(warning) }
    return (reading.image, size)
  }

  /// A picture made smaller, if need be, until it has at most `pixels` pixels, in proportion; and what is odd about its file
  /// (not told to `warn`).
  /// - Throws: `ImageError`
  public func reduced(
    contentsOf path: String, pixels: Int
  ) throws(ImageError) -> (image: RGBImage, warning: String?) {
    let reading = try read(path) { (bytes, name) throws(ImageError) in
      try resampled(bytes, name: name) { upright in
        (ImageCrop(all: upright), ResizedWindow(all: upright.reduced(to: pixels)))
      }
    }
    return (reading.image, reading.warning)
  }

  /// A picture as a network sees it, `Preprocessing.fitted`, and what is odd about its file (not told to `warn`).
  /// - Parameter view: what is seen of an upright picture of some size.
  /// - Throws: `ImageError`
  public func fitted(
    contentsOf path: String, to preprocessing: Preprocessing,
    view: (ImageSize) -> ImageCrop = { ImageCrop(all: $0) }
  ) throws(ImageError) -> (image: RGBImage, warning: String?) {
    let reading = try read(path) { (bytes, name) throws(ImageError) in
      try fitted(bytes, name: name, to: preprocessing, view: view)
    }
    return (reading.image, reading.warning)
  }

  /// The same of a file's bytes; errors call it `name`.
  /// - Throws: `ImageError`
  public func fitted(
    decoding bytes: [UInt8], name: String, to preprocessing: Preprocessing
  ) throws(ImageError) -> (image: RGBImage, warning: String?) {
    let reading = try bytes.span.bytes.withUnsafeBytes { (bytes) throws(ImageError) in
      try fitted(bytes, name: name, to: preprocessing) { ImageCrop(all: $0) }
    }
    return (reading.image, reading.warning)
  }

  private func fitted(
    _ bytes: UnsafeRawBufferPointer, name: String, to preprocessing: Preprocessing,
    view: (ImageSize) -> ImageCrop
  ) throws(ImageError) -> Reading {
    try resampled(bytes, name: name) {
      let crop = view($0)
      return (crop, preprocessing.window(for: crop.size))
    }
  }

  /// A part of the picture, resized.
  /// - Parameters:
  ///   - scales: at which it may be decoded, beside the whole; the codec's unless given.
  ///   - seen: the part of an upright picture of some size, and what becomes of it.
  func resampled(
    _ bytes: UnsafeRawBufferPointer, name: String, among scales: [DecodingScale]? = nil,
    _ seen: (ImageSize) -> (ImageCrop, ResizedWindow)
  ) throws(ImageError) -> Reading {
    try decode(bytes, name: name) { file in
      let (crop, window) = seen(file.orientation.upright(file.size))
      let scales = scales ?? (decoding == .scaled ? file.scales : [])
      let scale = DecodingScale.smallest(of: scales, for: crop.size, to: window.size)
      return (
        scale, RowResampler(stored: file.size, at: scale, file.orientation, crop: crop, to: window)
      )
    }
  }

  /// The size of the picture in a file, as it is stored, by its header alone.
  /// - Throws: `ImageError`
  public func size(contentsOf path: String) throws(ImageError) -> ImageSize {
    try read(path) { (bytes, name) throws(ImageError) in
      let codec = try Self.codec(of: bytes, name: name)
      var options = ci_options()
      options.maximum_pixels = UInt64(max(0, maximumPixels))
      options.lenient = 1
      var report = ci_report()
      let outcome = codec.decode(bytes, options, into: nil, &report)
      guard outcome == CI_DECODED else { throw error(outcome, report, codec, name) }
      return ImageSize(width: Int(report.width), height: Int(report.height))
    }
  }

  /// The whole upright picture that a file's bytes are.
  func whole(_ bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) -> Reading {
    try decode(bytes, name: name, copies: 1) { (.whole, RowCollector($0.size, $0.orientation)) }
  }

  /// What is done with a file's bytes and its name.
  private typealias Body<Result> = (UnsafeRawBufferPointer, String) throws(ImageError) -> Result

  private func read<Result>(_ path: String, _ body: Body<Result>) throws(ImageError) -> Result {
    if takesStandardInput, path == "-" {
      return try read(descriptor: 0, size: nil, name: "standard input", body)
    }
    let (descriptor, size) = try ImageFiles.open(path)
    defer { close(descriptor) }
    return try read(descriptor: descriptor, size: size, name: path, body)
  }

  private func read<Result>(
    descriptor: Int32, size: Int?, name: String, _ body: Body<Result>
  ) throws(ImageError) -> Result {
    if let size, size > ImageFiles.maximumBytes {
      throw .tooLarge(
        path: name, expected: "a file of at most \(ImageFiles.maximumBytes) bytes", found: "\(size) bytes")
    }
    return try budget.with(size ?? 0, for: .reading) { () throws(ImageError) -> Result in
      var file = FileBytes()
      // The rest is not even read of what is no picture.
      let start = ImageCodecs.signatureLength
      try file.read(descriptor, upTo: size.map { min($0, start) } ?? start, name: name)
      _ = try Self.codec(of: file.bytes, name: name)
      try file.read(descriptor, upTo: size ?? ImageFiles.maximumStreamBytes + 1, name: name)
      guard size != nil || file.count <= ImageFiles.maximumStreamBytes else {
        throw .tooLarge(
          path: name, expected: "at most \(ImageFiles.maximumStreamBytes) bytes", found: "more")
      }
      return try body(file.bytes, name)
    }
  }

  private static func codec(
    of bytes: UnsafeRawBufferPointer, name: String
  ) throws(ImageError) -> any ImageCodec {
    guard !bytes.isEmpty else { throw .empty(path: name) }
    guard let codec = ImageCodecs.codec(of: bytes) else {
      throw .unrecognised(path: name, found: ForeignFile.guess(bytes))
    }
    if let library = codec.library, !codec.isBuiltIn {
      throw .notBuiltIn(path: name, format: codec.name, package: library.package)
    }
    return codec
  }

  /// What the header of a file says.
  private struct Header {
    /// Of the stored picture.
    let size: ImageSize
    let orientation: Orientation
    /// At which it can be decoded, beside the whole.
    let scales: [DecodingScale]
  }

  /// Decodes a file's bytes.
  /// - Parameters:
  ///   - copies: of the whole stored picture that the sink keeps; one more while it is turned.
  ///   - makeSink: at which scale rows are wanted, and what takes them.
  private func decode(
    _ bytes: UnsafeRawBufferPointer, name: String, copies: Int = 0,
    into makeSink: (Header) -> (DecodingScale, any RowSink)
  ) throws(ImageError) -> Reading {
    let codec = try Self.codec(of: bytes, name: name)
    var options = ci_options(
      maximum_pixels: UInt64(max(0, maximumPixels)), lenient: isLenient ? 1 : 0, eighths: 8)
    var report = ci_report()
    let header = codec.decode(bytes, options, into: nil, &report)
    guard header == CI_DECODED else { throw error(header, report, codec, name) }
    let stored = ImageSize(width: Int(report.width), height: Int(report.height))
    let orientation = codec.orientation(bytes)
    let whole = stored.pixels * 3 * (orientation == .upright ? copies : 2 * copies)
    let memory = Int(report.memory) + whole
    guard memory <= budget.total else {
      throw .tooLarge(
        path: name, expected: "a picture that takes at most \(budget.total >> 20) MiB to decode",
        found: "\(memory >> 20) MiB for \(stored.width) x \(stored.height) pixels")
    }
    return try budget.with(memory, for: .decoding) { () throws(ImageError) -> Reading in
      let (scale, sink) = makeSink(Header(size: stored, orientation: orientation, scales: codec.scales))
      options.eighths = Int32(scale.eighths)
      let outcome = codec.decode(bytes, options, into: sink, &report)
      guard outcome == CI_DECODED else { throw error(outcome, report, codec, name) }
      return Reading(image: sink.image, warning: warning(report, name))
    }
  }

  /// What is odd about a file that was decoded.
  private func warning(_ report: ci_report, _ name: String) -> String? {
    if report.rows < report.height {
      return "\(name): cut short: \(report.share), the rest is grey"
    }
    return report.text.isEmpty ? nil : "\(name): read although it is damaged: \(report.text)"
  }

  private func error(
    _ outcome: ci_outcome, _ report: ci_report, _ codec: any ImageCodec, _ path: String
  ) -> ImageError {
    switch outcome {
    case CI_TOO_LARGE:
      let limit = "at most \(CI_MAXIMUM_SIDE) pixels a side and \(maximumPixels) in all (--max-pixels)"
      return .tooLarge(path: path, expected: limit, found: report.text)
    case CI_UNSUPPORTED:
      return .unsupported(path: path, expected: codec.kinds, found: report.text)
    case CI_NO_MEMORY:
      return .unreadable(path: path, reason: "out of memory")
    case CI_CUT_SHORT:
      return .cutShort(path: path, format: codec.name, rows: Int(report.rows), of: Int(report.height))
    default:
      return .corrupt(path: path, expected: "a whole \(codec.name) image", found: report.text)
    }
  }
}

extension ci_report {
  /// The message, which C ends with a zero within its 256 bytes.
  fileprivate var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// How much is there.
  fileprivate var share: String {
    rows == 0
      ? "parts are there" : "\(rows) of \(height) rows (\(UInt64(rows) * 100 / UInt64(height)) %) are there"
  }
}
