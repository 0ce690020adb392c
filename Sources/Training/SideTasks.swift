internal import Kernels
internal import Layers
internal import Models
internal import Support
internal import Tensors

/// What v learns beside captions, each on a layer of its own that no model file has: to name things, and to think of
/// photos as a teacher does.
struct SideTasks: Module {
  var labels: LabelClassifier?
  var scores: ScoreClassifier?

  /// None.
  init() {}

  /// The vocabulary projection of decoders of every kind.
  static let projection = "decoder.output.weight"

  /// Those that a run wants, at random at first.
  /// - Parameter network: what they learn beside.
  init(
    _ configuration: TrainingConfiguration, _ data: SideData, _ encoder: VGGArchitecture,
    beside network: CaptionNetwork
  ) {
    let features = encoder.featureSize
    let projection = network.parameters.first { $0.path == Self.projection }
    var random = Random(seed: configuration.seed, stream: RandomStream.sideInitialisation.rawValue)
    if let found = data.labels, let projection, configuration.labelWeight > 0 {
      labels = LabelClassifier(
        "labels", features: features, hidden: projection.value.shape[1], words: found.words
      ) { $0.untrained(using: &random) }
    }
    if let found = data.scores, configuration.teacherScoresWeight > 0 || configuration.teacherSteps > 0 {
      scores = ScoreClassifier(
        "teacher", features: features, classes: found.scores.classes
      ) { $0.untrained(using: &random) }
    }
  }

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try labels?.visitParameters(visit)
    try scores?.visitParameters(visit)
  }
}

/// What the tasks beside captions weigh, and how a teacher is heard.
struct SideWeights {
  let labels, scores, temperature: Float

  init(_ configuration: TrainingConfiguration) {
    labels = Float(configuration.labelWeight)
    scores = Float(configuration.teacherScoresWeight)
    temperature = Float(configuration.teacherTemperature)
  }

  /// A teacher heard alone.
  init(temperature: Double) { (labels, scores, self.temperature) = (0, 1, Float(temperature)) }
}

/// The losses of the tasks beside captions; nil: there was none.
struct SideLosses {
  var labels, scores: Double?

  var areFinite: Bool { [labels, scores].compactMap(\.self).allSatisfy(\.isFinite) }
}

extension TrainedNetwork {
  /// The tasks beside captions, forward and backward, after the decoder's backward pass; of several processes, each has its
  /// part of losses and gradients.
  /// - Parameters:
  ///   - v: of all images of the batch [N, D].
  ///   - dv: its gradient [N, D], to be added to.
  mutating func learn(
    beside batch: TrainingBatch, v: Tensor, dv: inout Tensor, _ weights: SideWeights, on device: Device
  ) -> SideLosses {
    var losses = SideLosses()
    // Those of an earlier step are none of this one's, if there is nothing to learn from here.
    if batch.labelled?.rows.isEmpty == true { sideTasks.labels?.dropGradients() }
    if batch.scored?.rows.isEmpty == true { sideTasks.scores?.dropGradients() }
    let width = v.shape[1]
    // A mean over rows is part of a mean over more.
    func learn(_ rows: Range<Int>, of whole: Int, _ task: (Matrix, MutableMatrix, _ share: Float) -> Double)
      -> Double
    {
      guard !rows.isEmpty else { return 0 }
      let share = Float(rows.count) / Float(whole)
      var gradients = Tensor(uninitialized: [rows.count, width])
      let memory = gradients.mutableMatrix()
      let loss = withExtendedLifetime(v) { task(v.matrix.rows(rows), memory, share) }
      let sums = dv.mutableMatrix().rows(rows)
      addScaled(count: rows.count * width, 1, memory.base, to: sums.base, on: device)
      withExtendedLifetime(gradients) {}
      return loss * Double(share)
    }
    if let labelled = batch.labelled, sideTasks.labels != nil {
      losses.labels = learn(labelled.rows, of: labelled.whole) { v, dv, share in
        var loss = 0.0
        captions.decoder.visitParameters {
          guard $0.path == SideTasks.projection else { return }
          loss = sideTasks.labels!.forwardBackward(
            v, labels: labelled.labels, weight: share * weights.labels, output: &$0, dv: dv, on: device)
        }
        return loss
      }
    }
    if let scored = batch.scored, sideTasks.scores != nil {
      losses.scores = learn(scored.rows, of: scored.whole) { v, dv, share in
        withExtendedLifetime(scored) {
          sideTasks.scores!.forwardBackward(
            v, scores: scored.scores.matrix, temperature: weights.temperature, weight: share * weights.scores,
            dv: dv, on: device)
        }
      }
    }
    return losses
  }
}
