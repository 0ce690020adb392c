internal import CImageCodecs
internal import Glibc

extension RGBImage {
  /// The picture as a PNG file.
  /// - Returns: nil when a side is over 65,500, or memory is short.
  public func png() -> [UInt8]? {
    guard width <= Int(CI_MAXIMUM_SIDE), height <= Int(CI_MAXIMUM_SIDE) else { return nil }
    var count = 0
    let bytes = pixels.withUnsafeBufferPointer {
      ci_write_png($0.baseAddress, UInt32(width), UInt32(height), &count)
    }
    guard let bytes else { return nil }
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
