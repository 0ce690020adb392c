public import Kernels
public import Layers
public import Tensors

/// How the input of the head is normalised.
public enum FeatureNormalizationName: String, Codable, CaseIterable, Sendable {
  /// Not at all.
  case none
  /// The mean of each channel over the training images is subtracted.
  case mean
  /// Each image's numbers get mean 0 and variance 1.
  case standardize
  /// Coordinates along the principal components of the training images, each of variance 1 (PCA whitening).
  case whiten
}

/// What is done to an image's features x [W] before the head reads them; what it measures of the training images is in
/// the model file.
///
/// It acts on the averaged map and not on the head's v: what comes before the map is frozen when training begins, so
/// that its statistics can be measured once, while v changes with every step of the head. Where v itself is given and
/// there is no head, v is x.
///
/// - mean: x − m, m of each channel.
/// - standardize: (x − mean x) / √(var x + 1e-5) over the numbers of one image.
/// - whiten: P (x − m), row j of P being u_j / √(λ_j + ε) of eigenvectors and eigenvalues of the covariance matrix.
public struct FeatureNormalization: Module {
  /// Which.
  public let name: FeatureNormalizationName
  /// m [C] of `mean`, [W] of `whiten`.
  public internal(set) var mean: Parameter?
  /// P [components, W].
  public internal(set) var components: Parameter?
  /// Numbers of a channel that follow each other in x.
  let cells: Int

  static let epsilon = 1e-5
  /// The widest x that is whitened: its covariance matrix is held in memory.
  public static let widestWhitened = 4096

  /// That of a network, its statistics from `source`: `encoder.normalization.mean` and `.components`.
  public init<E: Error>(
    _ architecture: VGGArchitecture, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    name = architecture.normalization
    cells = architecture.side * architecture.side
    for (path, shape) in Self.statistics(of: architecture) {
      let statistic = try Parameter(path, shape, .zero, learns: false, from: source)
      if shape.rank == 1 { mean = statistic } else { components = statistic }
    }
  }

  /// The names and shapes of what it measures in a network: m, and to whiten P.
  static func statistics(of architecture: VGGArchitecture) -> [(path: String, shape: Shape)] {
    let (path, width) = ("encoder.normalization", architecture.pooledSize)
    return switch architecture.normalization {
    case .none, .standardize: []
    case .mean: [(path + ".mean", [architecture.mapChannels])]
    case .whiten:
      [(path + ".mean", [width]), (path + ".components", [architecture.whiteningComponents, width])]
    }
  }

  /// Calls `visit` with each statistic in order; none of them has a gradient.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    if mean != nil { try visit(&mean!) }
    if components != nil { try visit(&components!) }
  }

  /// The head's input [N, inputs] of features [N, W].
  public func forward(_ x: Tensor, on device: Device) -> Tensor {
    switch name {
    case .none: return x
    case .mean: return centred(x)
    case .standardize:
      var y = x
      let memory = y.mutableMatrix()
      withExtendedLifetime(x) { standardizeRows(x.matrix, epsilon: Self.epsilon, into: memory, on: device) }
      return y
    case .whiten:
      let (x, components) = (centred(x), components!.value)
      var y = Tensor(uninitialized: [x.shape[0], components.shape[0]])
      let memory = y.mutableMatrix()
      withExtendedLifetime(x) {
        multiply(.plain(x.matrix), .transposed(components.matrix), into: memory, on: device)
      }
      return y
    }
  }

  /// δx [N, W] of the gradient [N, inputs] of what `forward` made of x; the statistics stay as they are.
  public func backward(_ x: Tensor, _ dy: Tensor, on device: Device) -> Tensor {
    switch name {
    case .none, .mean: return dy
    case .standardize:
      var dx = Tensor(uninitialized: x.shape)
      let memory = dx.mutableMatrix()
      withExtendedLifetime((x, dy)) {
        standardizeRowsBackward(
          x.matrix, gradient: dy.matrix, epsilon: Self.epsilon, into: memory, on: device)
      }
      return dx
    case .whiten:
      var dx = Tensor(uninitialized: x.shape)
      let memory = dx.mutableMatrix()
      withExtendedLifetime(dy) {
        multiply(.plain(dy.matrix), .plain(components!.value.matrix), into: memory, on: device)
      }
      return dx
    }
  }

  /// x − m.
  func centred(_ x: Tensor) -> Tensor {
    var y = x
    let width = x.shape[1]
    let cells = width / mean!.value.count
    mean!.value.withUnsafeBufferPointer { mean in
      y.withUnsafeMutableBufferPointer { y in
        for place in y.indices { y[place] -= mean[place % width / cells] }
      }
    }
    return y
  }
}
