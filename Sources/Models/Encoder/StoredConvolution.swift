internal import Layers
internal import Tensors

/// A convolution of a weights file as inference computes it: with batch normalisation, that is in weights and bias,
///
///     γ (w ∗ x + b − μ) / √(σ² + ε) + β = (s w) ∗ x + s (b − μ) + β,   s = γ / √(σ² + ε)
///
/// of the running statistics μ and σ², so that it takes no time. The weights stay as they are stored until they are read.
struct StoredConvolution {
  /// b [K], of the whole.
  let bias: Tensor
  private let weights: StoredTensor
  /// s [K]; nil without batch normalisation.
  private let scale: [Float]?

  /// `PREFIXfeatures.N` of a convolution, and of its batch normalisation.
  /// - Throws: `ModelError` naming the tensor that is missing, of another shape, or makes no sense.
  init(
    _ convolution: VGGArchitecture.Convolution, of architecture: VGGArchitecture,
    weights file: SafetensorsFile, prefix: String
  ) throws(ModelError) {
    let tensors = architecture.tensors(of: convolution)
    var vectors: [Tensor] = []
    do {
      weights = try file.stored(prefix + tensors[0].name, shape: tensors[0].shape)
      for (name, shape) in tensors.dropFirst() {
        vectors.append(try file.tensor(named: prefix + name, shape: shape))
      }
    } catch { throw .weights(error) }
    guard architecture.batchNormalization else {
      (bias, scale) = (vectors[0], nil)
      return
    }
    var (scales, biases) = ([Float](), [Float]())
    for channel in 0..<convolution.outputChannels {
      let (own, gamma, beta) = (vectors[0][channel], vectors[1][channel], vectors[2][channel])
      let (mean, variance) = (vectors[3][channel], vectors[4][channel])
      guard variance >= 0, variance.isFinite else {
        throw .unsupported(
          path: file.path, expected: "\(prefix)\(tensors[5].name) of variances, 0 or more",
          found: "\(variance) in channel \(channel)")
      }
      let scale = Double(gamma) / (Double(variance) + BatchNormalization.epsilon).squareRoot()
      scales.append(Float(scale))
      biases.append(Float(Double(beta) + (Double(own) - Double(mean)) * scale))
    }
    (bias, scale) = (Tensor(biases, [biases.count]), scales)
  }

  /// Writes the scalars of the weights [K, C, 3, 3] at some positions into memory.
  func read(_ range: Range<Int>, into memory: UnsafeMutablePointer<Float>) {
    weights.read(range, into: memory)
    guard let scale else { return }
    let width = weights.shape.count / max(1, weights.shape[0])
    for (place, position) in range.enumerated() { memory[place] *= scale[position / width] }
  }
}
