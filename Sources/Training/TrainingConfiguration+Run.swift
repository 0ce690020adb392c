public import Models
internal import CaptionMetrics
public import Datasets
internal import Decoding
internal import Layers

extension TrainingConfiguration {
  /// The decoder's kind and sizes, but for those that data and encoder decide.
  public var decoder: DecoderDescription {
    var decoder = DecoderDescription(
      embeddingSize: self.embeddingSize, hiddenSize: self.hiddenSize, layers: self.layers,
      cell: self.cell, injection: self.injection)
    decoder.isResidual = self.residual
    decoder.conditioning = self.conditioning
    decoder.contextLayer = self.imageLayer - 1
    decoder.initialStates = self.initialStates
    decoder.linearStates = self.linearStates
    decoder.memorySize = self.conditioning == .visualMemory ? self.memorySize : nil
    decoder.multimodalSize = self.conditioning == .multimodal ? self.multimodalSize : nil
    return decoder
  }

  /// The size of v: without a layer in the head that of the features themselves.
  func imageFeatureSize(about encoder: VGGArchitecture) -> Int {
    guard self.head.layers == 0 else { return self.featureSize }
    return self.featureNormalization == .whiten ? self.whiteningComponents : encoder.channels
  }

  /// The same about the regions of an encoder's last map.
  func decoder(about encoder: VGGArchitecture) -> DecoderDescription {
    var decoder = decoder
    if self.conditioning.attends {
      decoder.attention = AttentionDescription(
        channels: encoder.channels, valueSize: self.regionSize,
        keySize: self.attentionSize, gated: self.attentionGate, gatesEach: self.attentionGateEach,
        comparison: self.attentionComparison)
    }
    return decoder
  }

  /// How hard attention draws regions at a step; nil: attention is not hard.
  /// - Parameter baseline: what it is measured by; nil: not yet, so that the first step only finds it out.
  func drawnRegions(seed: UInt64, baseline: Double?) -> AttentionSampling? {
    guard self.conditioning == .hardAttention else { return nil }
    return AttentionSampling(
      .drawn(seed: seed, share: Float(self.attentionSampling)), baseline: Float(baseline ?? 0),
      rewardWeight: baseline == nil ? 0 : Float(self.attentionReward),
      entropyWeight: Float(self.attentionEntropy))
  }

  /// The layers of an encoder that the run uses: without its last pool where regions are to be fine.
  func table(of encoder: VGGArchitecture) -> [VGGArchitecture.Layer] {
    let layers = encoder.layers
    return self.conditioning.attends && self.regionGrid == .fine && layers.last == .pool
      ? layers.dropLast() : layers
  }

  /// What METEOR needs; nil: it is not among the scores.
  /// - Throws: `METEORDataError`.
  func meteorData() throws(METEORDataError) -> METEORData? {
    guard !self.meteor.isEmpty else { return nil }
    return try METEORData(path: self.meteor)
  }

  /// What an epoch passes over.
  func units(of train: EncodedSplit) -> Int {
    self.batchUnit == .captions ? train.captions.count : train.images.count
  }

  /// The first caption file that has a weight and nothing to learn, for people; nil: all have something.
  func idleWeight(in train: EncodedSplit) -> String? {
    guard !self.weights.isEmpty else { return nil }
    let sets = train.sets(self.weights.count, of: self.batchUnit)
    return sets.indices.first { sets[$0].isEmpty && self.weights[$0] > 0 }.map {
      "\(self.captions[$0]): expected captions to learn, as --weight \(self.weights[$0]) is theirs, found none"
    }
  }

  /// Steps of an epoch.
  func steps(of train: EncodedSplit) -> Int { (units(of: train) + self.batchSize - 1) / self.batchSize }

  /// The batches of an epoch, as indexes of captions or places of images.
  func batches(of train: EncodedSplit, epoch: Int) -> CaptionBatches {
    guard self.weights.isEmpty else {
      return CaptionBatches(
        sets: train.sets(self.weights.count, of: self.batchUnit), weights: self.weights,
        lengths: self.lengthBuckets ? train.captions.map(\.count) : nil, batchSize: self.batchSize,
        seed: self.seed, epoch: epoch)
    }
    guard self.lengthBuckets else {
      return CaptionBatches(
        captionCount: units(of: train), batchSize: self.batchSize, seed: self.seed, epoch: epoch)
    }
    return CaptionBatches(
      lengths: train.captions.map(\.count), batchSize: self.batchSize, seed: self.seed, epoch: epoch)
  }

  /// What a step drops of what the decoder computes.
  var decoderDropout: DropoutPass.Rates {
    .init(
      embedding: Float(self.embeddingDropout), output: Float(self.outputDropout),
      layers: Float(self.layerDropout), regions: Float(self.regionDropout))
  }

  /// What is done to long captions before they are learned; nil: nothing.
  public var lengthLimit: LengthLimit? {
    self.maximumLength > 0 ? LengthLimit(maximum: self.maximumLength, rule: self.longCaptions) : nil
  }

  /// The learning rate of every step.
  func learningRates(stepsPerEpoch: Int) -> LearningRateSchedule {
    let curve: LearningRateSchedule.Curve =
      switch self.schedule {
      case .constant: .constant
      case .step: .step(factor: self.learningRateDecay, every: self.decayEvery)
      case .exponential: .exponential(factor: self.learningRateDecay, every: self.decayEvery)
      case .cosine: .cosine(steps: self.epochs * stepsPerEpoch)
      case .plateau: .plateau(factor: self.learningRateDecay, patience: self.decayPatience)
      }
    return LearningRateSchedule(
      learningRate: self.learningRate, curve, warmUp: self.warmUp, stopPatience: self.stopPatience)
  }

  /// The options in which a continuation differs from its run and may not, for people.
  /// - Parameter isBetweenEpochs: whether no epoch is under way.
  public func differences(from other: TrainingConfiguration, isBetweenEpochs: Bool = true) -> [String] {
    changes(from: other) { $0 == .fixed } + (isBetweenEpochs ? [] : changesOfBatches(from: other))
  }

  private func changesOfBatches(from other: TrainingConfiguration) -> [String] {
    changes(from: other) { $0 == .betweenEpochs }.map { $0 + " (it may change between epochs only)" }
  }

  /// The options in which a continuation differs from its run, of those that `isMeant` wants.
  func changes(
    from other: TrainingConfiguration, _ isMeant: (SettingContinuation) -> Bool
  ) -> [String] {
    TrainingSettings.list.filter { isMeant($0.continuation) && !$0.isSame(in: self, other) }.compactMap {
      setting in
      setting.keys.first.map { "\($0): \(setting.text(in: other)) then, \(setting.text(in: self)) now" }
    }.sorted()
  }
}
