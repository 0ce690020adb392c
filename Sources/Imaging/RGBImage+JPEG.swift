internal import CImageCodecs
internal import Glibc

extension RGBImage {
  /// The picture as a baseline JPEG file.
  /// - Parameter quality: 1 to 100, as libjpeg counts it.
  /// - Returns: nil when a side is over 65,500, which JPEG can't hold, or memory is short.
  public func jpeg(quality: Int = 80) -> [UInt8]? {
    guard width <= Int(CI_MAXIMUM_SIDE), height <= Int(CI_MAXIMUM_SIDE) else { return nil }
    let quality = Int32(min(100, max(1, quality)))
    var count = 0
    let bytes = pixels.withUnsafeBufferPointer {
      ci_write_jpeg($0.baseAddress, UInt32(width), UInt32(height), quality, &count)
    }
    guard let bytes else { return nil }
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// The picture made smaller, if need be, until neither side is over `side`; in proportion.
  public func thumbnail(side: Int) -> RGBImage {
    resized(to: ResizedWindow(all: size.thumbnail(side: side)))
  }
}

extension ImageSize {
  /// The size of its thumbnail.
  func thumbnail(side: Int) -> ImageSize {
    let longest = max(width, height)
    guard side > 0, longest > side else { return self }
    return ImageSize(width: max(1, width * side / longest), height: max(1, height * side / longest))
  }
}
