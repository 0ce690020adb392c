internal import CImageCodecs

/// A picture in memory: 8-bit red, green, blue, as a person should see it (upright, nothing transparent).
public struct RGBImage: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// The samples, [height, width, 3].
  public let pixels: [UInt8]

  /// A picture from its samples, [height, width, 3]; both sides are at least 1.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "a picture of \(width)x\(height)")
    precondition(pixels.count == width * height * 3, "\(pixels.count) samples for \(width)x\(height)x3")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// Decodes a PNG or JPEG file, told apart by content, turned upright by its EXIF orientation.
  ///
  /// Transparent pixels are laid over white, 16-bit samples keep their upper byte, CMYK becomes RGB the simple
  /// way (ink times black, no colour profile).
  /// - Throws: `ImageError` when the file can't be read, is no PNG or JPEG, or is damaged, unsupported or huge.
  public init(contentsOf path: String) throws(ImageError) {
    let bytes = try ImageFiles.bytes(of: path)
    try self.init(decoding: bytes, name: path)
  }

  /// Decodes what standard input holds, as `init(contentsOf:)`.
  /// - Throws: `ImageError`
  public init(standardInput name: String) throws(ImageError) {
    try self.init(decoding: ImageFiles.bytesOfStandardInput(named: name), name: name)
  }

  /// Decodes the bytes of a PNG or JPEG file, as `init(contentsOf:)`; errors call it `name`.
  /// - Throws: `ImageError`
  public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
    self = try bytes.span.bytes.withUnsafeBytes { (buffer) throws(ImageError) in
      try RGBImage(decoding: buffer, name: name)
    }
  }

  /// Decodes the bytes of a PNG or JPEG file, as `init(contentsOf:)`; errors call it `name`.
  /// - Throws: `ImageError`
  public init(decoding bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
    guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), !bytes.isEmpty else {
      throw .empty(path: name)
    }
    guard let format = ImageFormat(signatureOf: bytes) else {
      throw .unrecognised(path: name, found: ImageFormat.guess(bytes))
    }
    var report = ci_report()
    // The first call reads the header only and says how much memory the second needs.
    func read(into pixels: UnsafeMutablePointer<UInt8>?, _ capacity: Int) -> ci_outcome {
      switch format {
      case .png: ci_read_png(start, bytes.count, pixels, capacity, &report)
      case .jpeg: ci_read_jpeg(start, bytes.count, pixels, capacity, &report)
      }
    }
    var outcome = read(into: nil, 0)
    var pixels: [UInt8] = []
    if outcome == CI_DECODED {
      let count = Int(report.width) * Int(report.height) * 3
      pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        outcome = read(into: buffer.baseAddress, count)
        initialized = outcome == CI_DECODED ? count : 0
      }
    }
    guard outcome == CI_DECODED else {
      throw ImageError(outcome, format: format, found: report.text, path: name)
    }
    let stored = RGBImage(width: Int(report.width), height: Int(report.height), pixels: pixels)
    self = stored.oriented(Orientation(ofEXIFIn: bytes, format: format))
  }

  /// The mirror image, left and right exchanged.
  public func horizontallyFlipped() -> RGBImage { oriented(.flippedHorizontally) }
}

extension ImageError {
  fileprivate init(_ outcome: ci_outcome, format: ImageFormat, found: String, path: String) {
    switch outcome {
    case CI_TOO_LARGE:
      let limit = "at most \(CI_MAXIMUM_SIDE) pixels a side and \(CI_MAXIMUM_PIXELS >> 20) Mi pixels in all"
      self = .tooLarge(path: path, expected: limit, found: found)
    case CI_UNSUPPORTED:
      self = .unsupported(
        path: path, expected: "an 8-bit baseline or progressive \(format.rawValue)", found: found)
    default:
      self = .corrupt(path: path, expected: "a whole \(format.rawValue) image", found: found)
    }
  }
}

extension ci_report {
  /// The message, which C ends with a zero within its 256 bytes.
  fileprivate var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
