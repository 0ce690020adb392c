/// What follows the sums of a fully connected layer.
public enum ActivationName: String, Codable, CaseIterable, Sendable {
  /// max(0, x).
  case relu
  /// x, below zero 0.01 x (Maas et al. 2013).
  case leakyReLU = "leaky-relu"
  /// x, below zero a x, with one learned a a layer, as torch has it (He et al. 2015).
  case prelu
  /// x, below zero eˣ − 1 (Clevert et al. 2016).
  case elu
  /// The larger of two sums, each with weights of its own (Goodfellow et al. 2013).
  case maxout
  /// tanh x.
  case tanh
  /// 1 / (1 + e⁻ˣ).
  case sigmoid

  /// Sums of a unit: unit k of K is made of rows k, K + k, … of the weights.
  public var pieces: Int { self == .maxout ? 2 : 1 }

  /// The slope below zero, at first where it is learned; 0 where there is none.
  public var slope: Float {
    switch self {
    case .leakyReLU: 0.01
    case .prelu: 0.25
    default: 0
    }
  }

  /// What keeps the size of signals when weights are made larger by it at first, as `torch.nn.init.calculate_gain`; of
  /// maxout too, whose larger of two normal numbers has the second moment of one.
  public var gain: Float {
    switch self {
    case .relu, .elu: Float(2).squareRoot()
    case .leakyReLU, .prelu: (2 / (1 + slope * slope)).squareRoot()
    case .tanh: 5 / 3
    case .maxout, .sigmoid: 1
    }
  }
}
