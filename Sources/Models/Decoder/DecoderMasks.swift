internal import Decoding
internal import Kernels
internal import Layers
internal import Support

/// The masks of a training step; `between` layers there are none where nothing is dropped.
struct DecoderMasks {
  let embedding: Dropout
  let output: Dropout
  let between: [Dropout]
  /// The same where sequences read something before their first token.
  let betweenAfterInput: [Dropout]
  let regions: Dropout

  /// Those that a pass names, for so many layers.
  init(_ pass: DropoutPass, layers: Int) {
    var random = Random(seed: pass.seed)
    func mask(_ rate: Float, _ rows: [Int32]?) -> Dropout {
      Dropout(rate: rate, seed: random.next(), rows: rows)
    }
    embedding = mask(pass.rates.embedding, pass.rows?.positions)
    output = mask(pass.rates.output, pass.rows?.positions)
    between =
      pass.rates.layers > 0 ? (1..<layers).map { _ in mask(pass.rates.layers, pass.rows?.positions) } : []
    betweenAfterInput = between.map {
      Dropout(rate: $0.rate, seed: $0.seed, rows: pass.rows?.precededByInput)
    }
    regions = mask(pass.rates.regions, pass.rows?.images)
  }

  /// What a pass does to the conditioning.
  func conditioning(_ pass: TrainingPass) -> ConditioningPass {
    ConditioningPass(
      regionDropout: regions, attentionPenalty: pass.attentionPenalty,
      attentionSampling: pass.attentionSampling, regionsLearn: pass.regionsLearn)
  }
}
