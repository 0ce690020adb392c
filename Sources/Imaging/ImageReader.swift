internal import CImageCodecs
internal import Glibc

/// Reads pictures from files: PNG or JPEG, told apart by content, turned upright by their EXIF orientation.
///
/// Transparent pixels are laid over white, 16-bit samples keep their upper byte, CMYK becomes RGB the simple way (ink
/// times black, no colour profile). Copies share one budget of memory: where pictures that are read at once would need
/// more, some wait. Paths are `FileName` texts.
public struct ImageReader: Sendable {
  /// The most pixels that are decoded.
  public var maximumPixels = ImageReader.usualMaximumPixels
  /// Whether what is there of damaged files is taken, missing rows grey.
  public var isLenient = false
  /// Whether `-` means standard input; else it is a file's name.
  public var takesStandardInput = false
  /// Takes what is odd about files that were read: a line each, beginning with the path.
  public var warn: @Sendable (String) -> Void = { _ in }
  private let budget: MemoryBudget

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
    let reading = try read(path) { (bytes, name) throws(ImageError) in
      try decode(bytes, name: name) { stored, orientation in
        let upright = orientation.upright(stored)
        return RowResampler(
          stored: stored, orientation, crop: ImageCrop(all: upright),
          to: ResizedWindow(all: upright.thumbnail(side: side)))
      }
    }
    if let warning = reading.warning { warn(warning) }
    return reading.image
  }

  /// A picture as a network sees it, `Preprocessing.fitted`, and what is odd about its file (not told to `warn`).
  /// - Parameter view: what is seen of an upright picture of some size.
  /// - Throws: `ImageError`
  public func fitted(
    contentsOf path: String, to preprocessing: Preprocessing,
    view: (ImageSize) -> ImageCrop = { ImageCrop(all: $0) }
  ) throws(ImageError) -> (image: RGBImage, warning: String?) {
    let reading = try read(path) { (bytes, name) throws(ImageError) in
      try decode(bytes, name: name) { stored, orientation in
        let crop = view(orientation.upright(stored))
        return RowResampler(
          stored: stored, orientation, crop: crop, to: preprocessing.window(for: crop.size))
      }
    }
    return (reading.image, reading.warning)
  }

  /// The whole upright picture that a file's bytes are.
  func whole(_ bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) -> Reading {
    try decode(bytes, name: name, copies: 1) { RowCollector($0, $1) }
  }

  /// What is done with a file's bytes and its name.
  private typealias Body = (UnsafeRawBufferPointer, String) throws(ImageError) -> Reading

  private func read(_ path: String, _ body: Body) throws(ImageError) -> Reading {
    if takesStandardInput, path == "-" {
      return try read(descriptor: 0, size: nil, name: "standard input", body)
    }
    let (descriptor, size) = try ImageFiles.open(path)
    defer { close(descriptor) }
    return try read(descriptor: descriptor, size: size, name: path, body)
  }

  private func read(
    descriptor: Int32, size: Int?, name: String, _ body: Body
  ) throws(ImageError) -> Reading {
    if let size, size > ImageFiles.maximumBytes {
      throw .tooLarge(
        path: name, expected: "a file of at most \(ImageFiles.maximumBytes) bytes", found: "\(size) bytes")
    }
    return try budget.with(size ?? 0, for: .reading) { () throws(ImageError) -> Reading in
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
    return codec
  }

  /// Decodes a file's bytes.
  /// - Parameters:
  ///   - copies: of the whole stored picture that the sink keeps; one more while it is turned.
  ///   - makeSink: what takes rows of the stored size that lie so.
  private func decode(
    _ bytes: UnsafeRawBufferPointer, name: String, copies: Int = 0,
    into makeSink: (ImageSize, Orientation) -> any RowSink
  ) throws(ImageError) -> Reading {
    let codec = try Self.codec(of: bytes, name: name)
    let options = ci_options(maximum_pixels: UInt64(max(0, maximumPixels)), lenient: isLenient ? 1 : 0)
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
      let sink = makeSink(stored, orientation)
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
