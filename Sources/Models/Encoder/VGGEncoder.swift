public import Imaging
public import Kernels
internal import Support
public import Tensors

/// The frozen part of the encoder: images to the averaged, flattened last map that the head reads.
/// Not for use by two threads at once.
public final class VGGEncoder {
  /// The network.
  public let architecture: VGGArchitecture
  /// What its input must look like.
  public let preprocessing: Preprocessing
  /// How image files are read for it.
  public var reader = ImageReader()
  /// Images that are convolved together.
  public static let batchSize = 8

  private let file: SafetensorsFile
  private let prefix: String
  private let device: Device
  private let stack: ConvolutionStack

  /// Loads the convolutions.
  /// - Parameter device: what computes; its arithmetic is what they multiply.
  /// - Throws: `ModelError` naming the tensor that does not fit; `.unsupported` when an image of the
  ///   preprocessing's size would not survive the pools.
  public init(
    _ architecture: VGGArchitecture, preprocessing: Preprocessing, weights file: SafetensorsFile,
    prefix: String = "", caching: WeightCaching, on device: Device = .cpu
  ) throws(ModelError) {
    let pools = architecture.layers.count { $0 == .pool }
    guard pools < 20, preprocessing.width >> pools > 0, preprocessing.height >> pools > 0 else {
      throw .unsupported(
        path: file.path, expected: "an input of at least 1×1 after \(pools) halvings",
        found: "\(preprocessing.width)×\(preprocessing.height)")
    }
    self.architecture = architecture
    self.preprocessing = preprocessing
    self.file = file
    self.prefix = prefix
    self.device = device
    stack = try ConvolutionStack(
      architecture, weights: file, prefix: prefix, caching: caching, on: device)
    try checkUnchanged()
  }

  /// Makes sure that nobody has written into the weights' file since it was opened: what was computed since would be of
  /// mixed weights.
  /// - Throws: `ModelError.weights`.
  public func checkUnchanged() throws(ModelError) {
    do { try file.checkUnchanged() } catch { throw .weights(error) }
  }

  /// What is taken of an image.
  public enum Tap: String, Sendable {
    /// The last map averaged and flattened as the head reads it [pooledSize].
    case pooled
    /// The last map itself, rows of pixels of channels [h·w·C]: what convolutions that learn go on from.
    case map
  }

  /// The last map's shape [h, w, C].
  public var mapShape: Shape {
    architecture.mapShape(height: preprocessing.height, width: preprocessing.width)
  }

  /// The last map [N, h, w, C] of images [N, H, W, 3].
  public func maps(_ images: Tensor) -> Tensor { stack(images) }

  /// The head's input [N, pooledSize] for images [N, H, W, 3].
  public func pooled(_ images: Tensor) -> Tensor {
    adaptiveAveragePool(stack(images), side: architecture.head.side)
  }

  /// As `pooled`, refusing what is not a number.
  /// - Throws: `ModelError.notFinite`.
  public func checkedPooled(_ images: Tensor) throws(ModelError) -> Tensor { try checked(pooled(images)) }

  /// What a tap gives of images [N, H, W, 3], a row each.
  /// - Throws: `ModelError.notFinite`.
  public func checkedMaps(_ images: Tensor, _ tap: Tap) throws(ModelError) -> Tensor {
    guard tap == .map else { return try checkedPooled(images) }
    let maps = try checked(stack(images))
    return maps.reshaped([maps.shape[0], maps.count / max(1, maps.shape[0])])
  }

  /// What these weights gave, if it is numbers.
  func checked(_ result: Tensor) throws(ModelError) -> Tensor {
    guard sumOfSquares(result.pointer, count: result.count, on: device).isFinite else {
      throw .notFinite(path: file.path, what: "the encoder's output")
    }
    return result
  }

  /// Names these convolutions, their arithmetic, how photos are decoded, this preprocessing and this tap with its
  /// averaging: equal only if they all are.
  public func fingerprint(_ tap: Tap = .pooled) throws(ModelError) -> String {
    var weights = Fingerprint()
    for (name, _) in architecture.convolutions.flatMap({ architecture.tensors(of: $0) }) {
      do {
        try file.tensor(named: prefix + name).withUnsafeBufferPointer { scalars in
          for scalar in scalars { weights.add(UInt64(scalar.bitPattern)) }
        }
      } catch { throw .weights(error) }
    }
    let side = architecture.head.side
    let taken = tap == .map ? tap.rawValue : "\(side)x\(side)"
    let exact = device.arithmetic == .float32 ? "" : " \(device.arithmetic.rawValue)"
    let decoding = reader.decoding == .exact ? "" : " \(reader.decoding.rawValue) photos"
    return "\(architecture.table) \(weights.text) \(taken) \(preprocessing.json)\(exact)\(decoding)"
  }
}
