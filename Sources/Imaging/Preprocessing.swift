public import Tensors

/// How a picture becomes a network's input: part of what a model is, and stored with it.
public struct Preprocessing: Sendable, Equatable {
  /// How a picture of any shape reaches the network's size.
  public enum ResizeRule: Sendable, Equatable {
    /// Both sides are resized, whatever happens to the proportions.
    case stretch
    /// The shorter side is resized to `shortSide`, then the middle is cut out.
    case shortSideThenCenterCrop(shortSide: Int)
    /// Both sides are resized to `side`, then what begins `margin` from the left and from the top is cut out.
    case stretchThenCrop(side: Int, margin: Int)
  }

  /// The order of the channels in the tensor.
  public enum ChannelOrder: String, Sendable, Codable { case rgb, bgr }

  /// The range of the samples before the mean is subtracted.
  public enum Scale: String, Sendable, Codable {
    /// As stored: 0 to 255.
    case bytes = "0..255"
    /// Divided by 255.
    case unit = "0..1"
  }

  /// Columns of the tensor, 1 to 4096.
  public let width: Int
  /// Rows of the tensor, 1 to 4096.
  public let height: Int
  /// How a picture reaches that size.
  public let resize: ResizeRule
  /// The order of the channels in the tensor.
  public let channelOrder: ChannelOrder
  /// The range of the samples before the mean is subtracted.
  public let scale: Scale
  /// What is subtracted from each channel, in `channelOrder` and on `scale`.
  public let mean: [Float]
  /// What each channel is then divided by, in the same order.
  public let standardDeviation: [Float]

  /// A preprocessing of one's own.
  /// - Throws: `PreprocessingError` when a size is out of range, the crop is larger than the short side, or mean
  ///   and standard deviation are not three finite numbers each, the latter above zero.
  public init(
    width: Int, height: Int, resize: ResizeRule, channelOrder: ChannelOrder, scale: Scale, mean: [Float],
    standardDeviation: [Float]
  ) throws(PreprocessingError) {
    for (name, side) in [("width", width), ("height", height)] where !(1...4096).contains(side) {
      throw PreprocessingError(field: name, expected: "1 to 4096", found: "\(side)")
    }
    if case .shortSideThenCenterCrop(let side) = resize, !(max(width, height)...65500).contains(side) {
      throw PreprocessingError(
        field: "short side", expected: "\(max(width, height)) (the crop's) to 65500", found: "\(side)")
    }
    if case .stretchThenCrop(let side, let margin) = resize {
      let largest = max(width, height)
      guard (largest...65500).contains(side) else {
        throw PreprocessingError(
          field: "side", expected: "\(largest) (the crop's) to 65500", found: "\(side)")
      }
      guard (0...side - largest).contains(margin) else {
        throw PreprocessingError(field: "margin", expected: "0 to \(side - largest)", found: "\(margin)")
      }
    }
    guard mean.count == 3, mean.allSatisfy({ abs($0) <= 1e6 }) else {
      throw PreprocessingError(
        field: "mean", expected: "three finite numbers of at most a million", found: "\(mean)")
    }
    guard standardDeviation.count == 3, standardDeviation.allSatisfy({ (1e-6...1e6).contains($0) }) else {
      throw PreprocessingError(
        field: "standard deviation", expected: "three numbers above zero, 1e-6 to 1e6",
        found: "\(standardDeviation)")
    }
    self.init(
      checkedWidth: width, height: height, resize: resize, channelOrder: channelOrder, scale: scale,
      mean: mean,
      standardDeviation: standardDeviation)
  }

  private init(
    checkedWidth: Int, height: Int, resize: ResizeRule, channelOrder: ChannelOrder, scale: Scale,
    mean: [Float],
    standardDeviation: [Float]
  ) {
    self.width = checkedWidth
    self.height = height
    self.resize = resize
    self.channelOrder = channelOrder
    self.scale = scale
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// What torchvision's ImageNet weights expect: short side 256, the middle 224x224, RGB in 0…1, normalised.
  public static let torchvision = Preprocessing(
    checkedWidth: 224, height: 224, resize: .shortSideThenCenterCrop(shortSide: 256), channelOrder: .rgb,
    scale: .unit, mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])

  /// What the original VGG weights (Simonyan & Zisserman 2015, trained in Caffe) expect: BGR in 0…255 less the
  /// mean; the picture is stretched to 224x224.
  public static let caffe = Preprocessing(
    checkedWidth: 224, height: 224, resize: .stretch, channelOrder: .bgr, scale: .bytes,
    mean: [103.939, 116.779, 123.68], standardDeviation: [1, 1, 1])

  /// The picture as a tensor, [height, width, 3].
  public func apply(_ image: RGBImage) -> Tensor {
    var tensor = Tensor(uninitialized: [height, width, 3])
    tensor.withUnsafeMutableBufferPointer { apply(image, into: $0.baseAddress!) }
    return tensor
  }

  /// Writes the picture, [height, width, 3], to `output`: one row of a batch, say.
  public func apply(_ image: RGBImage, into output: UnsafeMutablePointer<Float>) {
    normalise(fitted(image), into: output)
  }

  /// Writes a picture that is already `fitted`, [height, width, 3], to `output`.
  public func normalise(_ fitted: RGBImage, into output: UnsafeMutablePointer<Float>) {
    precondition(fitted.width == width && fitted.height == height, "\(fitted.width)×\(fitted.height)")
    // Normalised values of the 256 possible samples, [3, 256] in the tensor's channel order.
    var table: [Float] = []
    for channel in 0..<3 {
      for sample in 0..<256 {
        let value = scale == .unit ? Float(sample) / 255 : Float(sample)
        table.append((value - mean[channel]) / standardDeviation[channel])
      }
    }
    let (first, last) = channelOrder == .rgb ? (0, 2) : (2, 0)
    fitted.pixels.withUnsafeBufferPointer { pixels in
      table.withUnsafeBufferPointer { table in
        for i in stride(from: 0, to: pixels.count, by: 3) {
          output[i] = table[Int(pixels[i + first])]
          output[i + 1] = table[256 + Int(pixels[i + 1])]
          output[i + 2] = table[512 + Int(pixels[i + last])]
        }
      }
    }
  }

  /// The picture at the network's size, as a network sees it: resized and cropped, not yet normalised.
  public func fitted(_ image: RGBImage) -> RGBImage {
    image.resized(to: window(for: image.size))
  }

  /// The size that a picture of some size is given, and the part of it that the network sees.
  func window(for size: ImageSize) -> ResizedWindow {
    switch resize {
    case .stretch: return ResizedWindow(all: ImageSize(width: width, height: height))
    case .stretchThenCrop(let side, let margin):
      return ResizedWindow(
        ImageSize(width: side, height: side), columns: margin..<margin + width, rows: margin..<margin + height
      )
    case .shortSideThenCenterCrop(let side):
      // As torchvision: the long side rounded down, the margin rounded half to even.
      let short = min(size.width, size.height)
      let full = ImageSize(width: side * size.width / short, height: side * size.height / short)
      func margin(_ spare: Int) -> Int { spare / 2 + (spare % 4 == 3 ? 1 : 0) }
      let left = margin(full.width - width)
      let top = margin(full.height - height)
      return ResizedWindow(full, columns: left..<left + width, rows: top..<top + height)
    }
  }
}

/// A preprocessing that makes no sense.
public struct PreprocessingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was wrong: `mean`, ….
  public let field: String
  /// What it may be.
  public let expected: String
  /// What it was.
  public let found: String

  /// For instance `preprocessing: mean: expected three finite numbers of at most a million, found: [nan, 0.0, 0.0]`.
  public var description: String { "preprocessing: \(field): expected \(expected), found: \(found)" }
}
