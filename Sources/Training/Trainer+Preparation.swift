internal import Decoding
internal import Kernels
internal import Layers
internal import Support
internal import Tensors

extension RunState {
  /// What a run prepares with.
  enum Stage: String {
    case teacher, text
  }

  /// The stage of the next step, how many of its steps are done, and how many it has; nil: the captions begin.
  var stage: (kind: Stage, done: Int, count: Int)? {
    let prepared = prepared ?? 0
    if prepared < configuration.teacherSteps { return (.teacher, prepared, configuration.teacherSteps) }
    let done = prepared - configuration.teacherSteps
    return done < configuration.textSteps ? (.text, done, configuration.textSteps) : nil
  }

  /// Steps that the optimiser of head and decoder has taken: of a stage, or since the captions began.
  var optimizerSteps: Int { step > 0 ? step : stage?.done ?? 0 }
}

/// The steps before the captions: the head learns to think of photos as a teacher does, then the decoder learns to speak
/// from text. They have the learning rate at its highest, after its warm-up; what the optimiser and the average of weights
/// remember of one stage is forgotten before the next.
extension Trainer {
  /// Goes on with the steps before the captions, to their end.
  /// - Throws: as `run`.
  mutating func prepare() throws {
    while let stage = state.stage {
      try stopIfAsked()
      let loss = stage.kind == .teacher ? try learnScores() : try learnText()
      state.prepared = (state.prepared ?? 0) + 1
      if state.stage?.kind != stage.kind { beginStage() }
      report(.progress(epoch: 0, batch: stage.done + 1, batches: stage.count, loss: loss))
      if (stage.done + 1) % 50 == 0 || stage.done + 1 == stage.count {
        try log?.append(
          TrainingRecord.Preparation(
            preparation: stage.kind.rawValue, step: stage.done + 1, loss: loss,
            learning_rate: Double(optimizer.learningRate)))
      }
      try writeCheckpointIfDue()
    }
  }

  /// What was remembered is of another task.
  private mutating func beginStage() {
    optimizer = Optimizer(
      configuration.optimizer, learningRate: Float(configuration.learningRate),
      weightDecay: Float(configuration.weightDecay))
    network.dropGradients()
    if configuration.teacherScoresWeight == 0 && state.prepared ?? 0 >= configuration.teacherSteps {
      network.sideTasks.scores = nil
    }
    average = WeightAverage(of: network, decay: configuration.averageDecay)
  }

  private mutating func learnScores() throws -> Double {
    let step = state.prepared ?? 0
    let batch = mixture.scoredPhotos(step: step)
    var seen = network.seen(batch.features, transforming: step == 0 || isFirst, on: device)
    isFirst = false
    var seeds = mixture.random(.headDropout, step: -2 - step)
    func dropout(_ rate: Double) -> Dropout {
      Dropout(rate: Float(rate), seed: seeds.next(), rows: batch.rowsOfWhole)
    }
    dropout(configuration.pooledDropout).apply(&seen.pooled, on: device)
    let v = network.captions.head.trainingForward(
      seen.pooled, dropout(configuration.featureDropout), into: &traces.head, on: device)
    var dv = Tensor(zeros: v.shape)
    let losses = network.learn(
      beside: batch, v: v, dv: &dv, SideWeights(temperature: configuration.teacherTemperature), on: device)
    network.captions.head.backward(dv, &traces.head, on: device)
    return try finish(group.sums(losses).scores ?? 0, step)
  }

  private mutating func learnText() throws -> Double {
    let step = state.prepared ?? 0
    let packed = mixture.sentences(step: step).packed()
    var seeds = mixture.random(.decoderDropout, step: -2 - step)
    let images = network.noImages.withUnseen()
    let logProbs = decoderForward(
      packed, about: images,
      TrainingPass(
        dropout: DropoutPass(configuration.decoderDropout, seed: seeds.next(), rows: packed.rows),
        labelSmoothing: Float(configuration.labelSmoothing), weights: packed.weights))
    _ = decoderBackward(packed, about: images)
    // What reads images has nothing to learn here, not even to decay.
    network.captions.decoder.visitParameters { parameter in
      let isZero = parameter.gradient?.withUnsafeBufferPointer { $0.allSatisfy { $0 == 0 } }
      if isZero == true { parameter.dropGradient() }
    }
    let loss = try group.sums(packed.losses(logProbs))[1]
    return try finish(loss / Double(max(1, packed.textWords)), step)
  }

  /// The update of a step.
  private mutating func finish(_ loss: Double, _ step: Int) throws -> Double {
    guard loss.isFinite else {
      throw TrainingError.diverged(step: step + 1, what: "the loss before the captions")
    }
    if let culprit = try network.addUpGradients(among: group) {
      throw TrainingError.diverged(step: step + 1, what: "the gradient of \(culprit) before the captions")
    }
    let warmUp = min(1, Double(state.optimizerSteps + 1) / Double(max(1, configuration.warmUp)))
    optimizer.learningRate = Float(configuration.learningRate * warmUp)
    try updateAllButConvolutions()
    try network.shareValues(among: group)
    return loss
  }
}
