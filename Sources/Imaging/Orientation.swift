/// How the stored rows and columns lie in the upright picture; raw values are those of EXIF tag 0x0112.
enum Orientation: Int {
  case upright = 1
  case flippedHorizontally, rotated180, flippedVertically, transposed, rotated90, transversed, rotated270

  /// The picture's width and height are the stored height and width.
  var swapsSides: Bool { rawValue >= 5 }

  /// The picture's columns run against the stored columns (or rows) that they come from.
  var flipsColumns: Bool { [2, 3, 6, 7].contains(rawValue) }
  /// The picture's rows do.
  var flipsRows: Bool { [3, 4, 7, 8].contains(rawValue) }

  /// The upright picture's size.
  func upright(_ stored: ImageSize) -> ImageSize {
    swapsSides ? ImageSize(width: stored.height, height: stored.width) : stored
  }

  /// Tag 0x0112 in the first directory of EXIF data, a TIFF structure; anything missing, damaged or out of range
  /// means upright, for the pixels are good all the same.
  init(ofTIFF tiff: UnsafeRawBufferPointer) {
    self = Self.tag(in: tiff).flatMap(Orientation.init) ?? .upright
  }

  private static func tag(in tiff: UnsafeRawBufferPointer) -> Int? {
    let mark = tiff.integer(at: 0, size: 2)
    guard mark == 0x4949 || mark == 0x4D4D else { return nil }
    let little = mark == 0x4949
    guard tiff.integer(at: 2, size: 2, littleEndian: little) == 42,
      let directory = tiff.integer(at: 4, size: 4, littleEndian: little),
      let count = tiff.integer(at: directory, size: 2, littleEndian: little)
    else { return nil }
    for entry in 0..<count {
      let start = directory + 2 + entry * 12
      guard let tag = tiff.integer(at: start, size: 2, littleEndian: little) else { return nil }
      guard tag == 0x0112 else { continue }
      // A 16-bit value stands at the front of the four-byte field.
      guard tiff.integer(at: start + 2, size: 2, littleEndian: little) == 3 else { return nil }
      return tiff.integer(at: start + 8, size: 2, littleEndian: little)
    }
    return nil
  }
}

extension UnsafeRawBufferPointer {
  /// The unsigned integer of `size` bytes at `offset`, big endian unless told; nil where it would not lie inside.
  func integer(at offset: Int, size: Int, littleEndian: Bool = false) -> Int? {
    guard offset >= 0, offset <= count - size else { return nil }
    let field = self[offset..<offset + size]
    return littleEndian
      ? field.reversed().reduce(0) { $0 << 8 | Int($1) } : field.reduce(0) { $0 << 8 | Int($1) }
  }
}

extension RGBImage {
  /// The upright picture of stored pixels.
  func oriented(_ orientation: Orientation) -> RGBImage {
    if orientation == .upright { return self }
    let (w, h) = (width, height)
    // Where stored pixel (0, 0) goes, and how far a stored step right or down moves there.
    let (newWidth, newHeight) = orientation.swapsSides ? (h, w) : (w, h)
    let (origin, right, down): (Int, Int, Int) =
      switch orientation {
      case .upright: (0, 1, w)
      case .flippedHorizontally: (w - 1, -1, w)
      case .rotated180: (w * h - 1, -1, -w)
      case .flippedVertically: (w * (h - 1), 1, -w)
      case .transposed: (0, h, 1)
      case .rotated90: (h - 1, h, -1)
      case .transversed: (w * h - 1, -h, -1)
      case .rotated270: (h * (w - 1), -h, 1)
      }
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, initialized in
      pixels.withUnsafeBufferPointer { source in
        var from = 0
        for y in 0..<h {
          var to = (origin + y * down) * 3
          for _ in 0..<w {
            buffer[to] = source[from]
            buffer[to + 1] = source[from + 1]
            buffer[to + 2] = source[from + 2]
            from += 3
            to += right * 3
          }
        }
      }
      initialized = pixels.count
    }
    return RGBImage(width: newWidth, height: newHeight, pixels: turned)
  }
}
