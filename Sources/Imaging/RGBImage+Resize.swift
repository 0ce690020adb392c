extension RGBImage {
  /// The whole picture at another size (both sides at least 1): antialiased bilinear, bit for bit what
  /// Pillow's `Image.resize((width, height), BILINEAR)` gives (from version 13 on Pillow filters some shapes in
  /// the other order, which moves samples by at most 1).
  public func resized(width: Int, height: Int) -> RGBImage {
    resized(to: ResizedWindow(all: ImageSize(width: width, height: height)))
  }

  /// The given columns and rows of the picture resized to `width` by `height`; the others are not computed.
  func resized(width: Int, height: Int, columns: Range<Int>, rows: Range<Int>) -> RGBImage {
    resized(to: ResizedWindow(ImageSize(width: width, height: height), columns: columns, rows: rows))
  }

  /// A part of the picture, which lies inside it and is mirrored first if need be, at another size.
  public func resized(_ part: ImageCrop, width: Int, height: Int) -> RGBImage {
    resized(part, to: ResizedWindow(all: ImageSize(width: width, height: height)))
  }

  /// The part of the resized picture that is wanted.
  func resized(to window: ResizedWindow) -> RGBImage { resized(ImageCrop(all: size), to: window) }

  private func resized(_ part: ImageCrop, to window: ResizedWindow) -> RGBImage {
    precondition(window.size.width > 0 && window.size.height > 0, "resizing to \(window.size)")
    if window == ResizedWindow(all: size), part == ImageCrop(all: size) { return self }
    let resampler = RowResampler(stored: size, .upright, crop: part, to: window)
    pixels.withUnsafeBufferPointer { pixels in
      for row in 0..<height { resampler.take(pixels.baseAddress! + row * width * 3) }
    }
    return resampler.image
  }
}
