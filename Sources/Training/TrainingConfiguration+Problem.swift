internal import Kernels

extension TrainingConfiguration {
  /// The first option that is out of range, or does not go with the others, as `--name: expected …, found …`; nil when
  /// all are right.
  public var problem: String? {
    for setting in TrainingSettings.list {
      if let problem = setting.problem(in: self) { return problem }
    }
    if let problem = self.optimizer.problem { return "--optimizer: \(problem)" }
    if let problem = self.encoderOptimizer.problem { return "--encoder-optimizer: \(problem)" }
    if let problem = self.arithmetic.problem { return "--arithmetic: \(problem)" }
    if !self.conditioning.takesEveryCell && self.cell.cell.directInput != nil {
      return
        "--cell: expected a cell none of whose gates reads its input itself with --conditioning "
        + "\(self.conditioning.rawValue), found \(self.cell.rawValue)"
    }
    if self.conditioning == .visualMemory && self.layers > 1 {
      return "--layers: expected 1 with --conditioning visual-memory, found \(self.layers)"
    }
    if !self.conditioning.entersLayers && (self.imageLayer > 1 || self.initialStates) {
      return
        "--conditioning: expected gates, first-input, attention or hard-attention with --image-layer or --initial-states, "
        + "found \(self.conditioning.rawValue)"
    }
    if self.imageLayer > self.layers {
      return "--image-layer: expected at most --layers \(self.layers), found \(self.imageLayer)"
    }
    if self.conditioning == .gates && self.injection == .never && !self.initialStates {
      return "--injection: expected everyStep or firstStep without --initial-states, found never"
    }
    if self.lengthBuckets && self.batchUnit == .images {
      return "--length-buckets: expected --batch-unit captions, found images"
    }
    if !self.weights.isEmpty && self.weights.count != self.captions.count {
      return
        "--weight: expected one for each of \(self.captions.count) --captions, found \(self.weights.count)"
    }
    if let problem = problemOfFeatures { return problem }
    if self.linearStates && !self.initialStates {
      return "--linear-states: expected --initial-states beside it, found none"
    }
    if self.attentionGateEach && !self.attentionGate {
      return "--attention-gate-each: expected --attention-gate beside it, found none"
    }
    if self.validationMetric == .meteor && self.meteor.isEmpty {
      return "--validation-metric: expected --meteor beside METEOR, found none"
    }
    if let problem = problemBesideCaptions { return problem }
    if let size = decoder.neededEmbeddingSize {
      return
        "--embedding-size: expected \(size), as --hidden-size, for --cell \(decoder.cell.rawValue), a gate of which "
        + "reads the embedding itself; found \(decoder.embeddingSize)"
    }
    return scheduledSampling.problem
  }

  /// The same of features that are given, or are not.
  private var problemOfFeatures: String? {
    guard !self.features.isEmpty else {
      return self.head == .none ? "--head: expected full, compact, compact2 or mean, found none" : nil
    }
    if !self.encoder.isEmpty {
      return "--encoder: expected none with --features, which are in its place, found \(self.encoder)"
    }
    if self.head == .full || self.head == .mean {
      return "--head: expected none, compact or compact2 with --features, found \(self.head.rawValue)"
    }
    if !self.fineTuneFrom.isEmpty {
      return "--fine-tune-from: expected no convolutions with --features, found \(self.fineTuneFrom)"
    }
    if self.augmentation != .none {
      return
        "--augmentation: expected none with --features, which do not change, found \(self.augmentation.rawValue)"
    }
    if self.regionGrid != .coarse {
      return
        "--region-grid: expected no choice with --features, whose regions are given, found \(self.regionGrid.rawValue)"
    }
    return nil
  }

  /// The first option that asks for more than so many training images, as `problem`.
  func problem(images: Int) -> String? {
    guard self.featureNormalization == .whiten, self.whiteningComponents >= images else { return nil }
    return "--whitening-components: expected fewer than the \(images) training images, found "
      + "\(self.whiteningComponents)"
  }

  /// The first option that does not go with convolutions that learn, with batch normalisation or without, as `problem`.
  func problem(ofStatistics isNormalized: Bool) -> String? {
    if self.freezeStatistics && !isNormalized {
      return "--freeze-statistics: expected an encoder with batch normalisation, found one without"
    }
    if self.microBatch > 0 && isNormalized && !self.freezeStatistics {
      return
        "--micro-batch: expected 0 or --freeze-statistics with an encoder with batch normalisation, whose "
        + "statistics are those of the whole batch; found \(self.microBatch)"
    }
    return nil
  }

  /// The same of what is learned beside captions.
  private var problemBesideCaptions: String? {
    if !self.text.isEmpty && self.textSteps == 0 && self.textShare == 0 {
      return "--text: expected --text-steps or --text-share, found neither"
    }
    if !self.labels.isEmpty && self.labelImages.isEmpty {
      return "--labels: expected the folder of their photos, --label-images, found none"
    }
    if !self.labels.isEmpty && self.labelWeight == 0 && self.labelCaptions == 0 {
      return "--labels: expected --label-weight or --label-captions, found neither"
    }
    if self.textShare + self.labelCaptions >= 0.95 {
      return "--text-share and --label-captions: expected less than 0.95 together, found "
        + "\(self.textShare + self.labelCaptions)"
    }
    guard !self.teacherScores.isEmpty else { return nil }
    if self.teacherSteps == 0 && self.teacherScoresWeight == 0 {
      return "--teacher-scores: expected --teacher-steps or --teacher-scores-weight, found neither"
    }
    if self.teacherImages.isEmpty && self.images.count > 1 {
      return "--teacher-images: expected a folder, as there are \(self.images.count) --images, found none"
    }
    return nil
  }

  /// What a run needs that has no default, as `problem`.
  public var missing: String? {
    let ofPhotos = self.features.isEmpty ? [("images", self.images), ("encoder", [self.encoder])] : []
    for (name, paths) in [("captions", self.captions), ("features", self.features)] + ofPhotos
    where (name != "features" && paths.isEmpty) || paths.contains("") {
      return "--\(name): expected a path, found none"
    }
    return nil
  }
}
