internal import Decoding
internal import Kernels
internal import Layers
internal import Support

/// The masks of a training step; `between` layers there are none where nothing is dropped.
struct DecoderMasks {
  let embedding: Dropout
  let output: Dropout
  let between: [Dropout]
  let regions: Dropout

  /// Those that a pass names, for so many layers.
  init(_ pass: DropoutPass, layers: Int) {
    var random = Random(seed: pass.seed)
    func mask(_ rate: Float) -> Dropout { Dropout(rate: rate, seed: random.next()) }
    embedding = mask(pass.rates.embedding)
    output = mask(pass.rates.output)
    between = pass.rates.layers > 0 ? (1..<layers).map { _ in mask(pass.rates.layers) } : []
    regions = mask(pass.rates.regions)
  }

  /// What a pass does to the conditioning.
  func conditioning(_ pass: TrainingPass) -> ConditioningPass {
    ConditioningPass(
      regionDropout: regions, attentionPenalty: pass.attentionPenalty,
      attentionSampling: pass.attentionSampling, regionsLearn: pass.regionsLearn)
  }
}
