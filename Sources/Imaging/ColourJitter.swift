public import Support

/// Brightness, contrast and saturation changed at random and in random order, as torchvision's `ColorJitter` changes them
/// (torchvision 0.29, over Pillow 13's `ImageEnhance`), all but hue, which captions name. Each mixes the picture with one
/// that has none of it, and leaves what is out of range at 0 and 255:
///
///     sample = none + factor · (sample − none), factor = uniform(max(0, 1 − strength), 1 + strength)
///
/// Without brightness a picture is black, without contrast of its mean grey, without saturation each pixel is its grey.
public struct ColourJitter: Sendable, Equatable {
  /// How far each factor may be from 1; 0: that is left as it is.
  public let brightness, contrast, saturation: Double

  /// Strengths of 0 or more.
  public init(brightness: Double, contrast: Double, saturation: Double) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
  }

  /// The picture in other colours.
  public func callAsFunction(_ image: RGBImage, using random: inout Random) -> RGBImage {
    let changes: [(strength: Double, change: (inout [UInt8], Float) -> Void)] = [
      (brightness, Self.changeBrightness), (contrast, Self.changeContrast),
      (saturation, Self.changeSaturation),
    ]
    var order = [0, 1, 2]
    for place in 0..<2 {
      let other = place + Int(saturating: Double(random.uniform()) * Double(3 - place))
      order.swapAt(place, other)
    }
    // The factors are drawn in the order of their names.
    let factors = changes.map { change -> Float? in
      guard change.strength > 0 else { return nil }
      let least = max(0, 1 - change.strength)
      return Float(least + (1 + change.strength - least) * Double(random.uniform()))
    }
    var samples = image.pixels
    for place in order {
      if let factor = factors[place] { changes[place].change(&samples, factor) }
    }
    return RGBImage(width: image.width, height: image.height, pixels: samples)
  }

  static func changeBrightness(_ samples: inout [UInt8], _ factor: Float) {
    replace(&samples, by: table(from: 0, factor))
  }

  static func changeContrast(_ samples: inout [UInt8], _ factor: Float) {
    var sum = 0
    for pixel in stride(from: 0, to: samples.count, by: 3) { sum += Int(grey(samples, pixel)) }
    let mean = Double(sum) / Double(max(1, samples.count / 3))
    replace(&samples, by: table(from: UInt8(mean + 0.5), factor))
  }

  static func changeSaturation(_ samples: inout [UInt8], _ factor: Float) {
    for pixel in stride(from: 0, to: samples.count, by: 3) {
      let grey = grey(samples, pixel)
      for sample in pixel..<pixel + 3 { samples[sample] = mixed(grey, samples[sample], factor) }
    }
  }

  private static func replace(_ samples: inout [UInt8], by table: [UInt8]) {
    for sample in samples.indices { samples[sample] = table[Int(samples[sample])] }
  }

  /// What becomes of each sample.
  private static func table(from none: UInt8, _ factor: Float) -> [UInt8] {
    (0...255).map { mixed(none, UInt8($0), factor) }
  }

  /// As Pillow's `Image.blend`: what is behind the point is cut off.
  @inline(__always) private static func mixed(_ none: UInt8, _ sample: UInt8, _ factor: Float) -> UInt8 {
    UInt8(max(0, min(255, Float(none) + factor * Float(Int(sample) - Int(none)))))
  }

  /// As Pillow's mode L: ITU-R 601-2 luma in sixteen fractional bits.
  @inline(__always) private static func grey(_ samples: [UInt8], _ pixel: Int) -> UInt8 {
    let (red, green, blue) = (Int(samples[pixel]), Int(samples[pixel + 1]), Int(samples[pixel + 2]))
    return UInt8(truncatingIfNeeded: (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
  }
}
