public import Imaging
public import Tensors
internal import WeightFiles

/// A way in which another program names and lays out the weights of a VGG network.
protocol EncoderImporter: Sendable {
  /// Reads what a file holds; nil: its tensors are not named so.
  /// - Throws: `ModelError.unsupported` or `.foreign` when they are, and something is missing or of another shape.
  func imported(_ file: NamedTensors) throws(ModelError) -> ImportedEncoder?
}

/// An encoder that another program's file held.
public struct ImportedEncoder: Sendable {
  /// The weights under torchvision's names and in its layout: `features.0.weight` [K, C, 3, 3], `classifier.0.weight`
  /// [4096, C·7·7], channels before rows before columns.
  public var tensors: [(name: String, tensor: Tensor)]
  /// How pixels become its input, where the file or its kind says so.
  public var preprocessing: Preprocessing?
  /// Names of the file's tensors that have no place here, such as the classifier over ImageNet's classes.
  public var leftOver: [String]

  /// What an importer found.
  init(tensors: [(name: String, tensor: Tensor)], preprocessing: Preprocessing?, leftOver: [String]) {
    self.tensors = tensors
    self.preprocessing = preprocessing
    self.leftOver = leftOver
  }

  /// The ways that are known, tried in turn.
  static let importers: [any EncoderImporter] = [CaffeVGG(), KerasVGG(), ONNXVGG(), TorchvisionVGG()]
}
