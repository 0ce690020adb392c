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
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// Its sides.
  public var size: ImageSize { ImageSize(width: width, height: height) }

  /// Decodes a file, as `ImageReader.image(contentsOf:)` with the usual limits.
  /// - Throws: `ImageError` when the file can't be read, is no picture, or is damaged, unsupported or huge.
  public init(contentsOf path: String) throws(ImageError) {
    self = try ImageReader().image(contentsOf: path)
  }

  /// Decodes the bytes of a file, as `init(contentsOf:)`; errors call it `name`.
  /// - Throws: `ImageError`
  public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
    self = try bytes.span.bytes.withUnsafeBytes { (buffer) throws(ImageError) in
      try RGBImage(decoding: buffer, name: name)
    }
  }

  /// Decodes the bytes of a file, as `init(contentsOf:)`; errors call it `name`.
  /// - Throws: `ImageError`
  public init(decoding bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
    self = try ImageReader().whole(bytes, name: name).image
  }

  /// The mirror image, left and right exchanged.
  public func horizontallyFlipped() -> RGBImage { oriented(.flippedHorizontally) }
}
