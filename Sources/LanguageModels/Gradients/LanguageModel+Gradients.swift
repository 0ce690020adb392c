public import Kernels
internal import Layers
internal import Tensors

extension LanguageModel {
  /// How much of the gradient of −ln p of a token reaches the states before it, in every layer, the lowest first.
  /// - Parameters:
  ///   - tokens: a text of at least two more tokens than steps.
  ///   - steps: T; each stretch of the text begins with zero states.
  ///   - count: how many stretches, spread over the text, the norms are of.
  public func gradientFlow(
    of tokens: [Int32], steps: Int, stretches count: Int, on device: Device = .cpu
  ) -> [GradientFlow] {
    precondition(steps > 0 && count > 0 && tokens.count >= steps + 2, "\(tokens.count) of \(steps)")
    return network.gradientFlow(of: tokens, steps, count, device)
  }

  /// What W_hh of each layer does, gate by gate; nil where a layer is too large.
  public func spectra(on device: Device = .cpu) -> [[RecurrentSpectrum]?] { network.spectra(device) }
}

extension LanguageNetwork {
  fileprivate func gradientFlow(
    of tokens: [Int32], _ steps: Int, _ count: Int, _ device: Device
  ) -> [GradientFlow] {
    let room = tokens.count - steps - 1
    let starts = (0..<count).map { count == 1 ? 0 : $0 * room / (count - 1) }
    let sequences = PackedSequences.packing(lengths: [Int](repeating: steps, count: count)).sequences
    var x = Tensor(uninitialized: [sequences.positions, inputs])
    readInputs(
      (0..<steps).flatMap { t in starts.map { tokens[$0 + t] } }, into: x.mutableMatrix(), on: device)
    let targets = starts.map { tokens[$0 + steps] }
    let flows = GradientFlow.layers(of: stack, sequences, x.matrix, on: device) { last in
      var (output, trace) = (self.output, SoftmaxProjection.Trace())
      var gradient = Tensor(uninitialized: [last.rows, last.columns])
      _ = output.forwardBackward(
        last, targets: targets, dropout: .none, gradient: CrossEntropyGradient(scale: 1),
        dh: gradient.mutableMatrix(), trace: &trace, on: device)
      return gradient
    }
    return withExtendedLifetime(x) { flows }
  }

  fileprivate func spectra(_ device: Device) -> [[RecurrentSpectrum]?] {
    stack.layers.map { RecurrentSpectrum.all(of: $0, on: device) }
  }
}
