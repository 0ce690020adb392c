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
  /// The tasks beside captions, forward and backward, after the decoder's backward pass.
  /// - Parameters:
  ///   - v: of all images of the batch [N, D].
  ///   - dv: its gradient [N, D], to be added to.
  mutating func learn(
    beside batch: TrainingBatch, v: Tensor, dv: inout Tensor, _ weights: SideWeights, on device: Device
  ) -> SideLosses {
    var losses = SideLosses()
    let width = v.shape[1]
    func learn(_ rows: Range<Int>, _ task: (Matrix, MutableMatrix) -> Void) {
      var gradients = Tensor(uninitialized: [rows.count, width])
      let memory = gradients.mutableMatrix()
      withExtendedLifetime(v) { task(v.matrix.rows(rows), memory) }
      let sums = dv.mutableMatrix().rows(rows)
      addScaled(count: rows.count * width, 1, memory.base, to: sums.base, on: device)
      withExtendedLifetime(gradients) {}
    }
    if let labelled = batch.labelled, sideTasks.labels != nil {
      learn(labelled.rows) { v, dv in
        captions.decoder.visitParameters {
          guard $0.path == SideTasks.projection else { return }
          losses.labels = sideTasks.labels!.forwardBackward(
            v, labels: labelled.labels, weight: weights.labels, output: &$0, dv: dv, on: device)
        }
      }
    }
    if let scored = batch.scored, sideTasks.scores != nil {
      learn(scored.rows) { v, dv in
        losses.scores = withExtendedLifetime(scored) {
          sideTasks.scores!.forwardBackward(
            v, scores: scored.scores.matrix, temperature: weights.temperature, weight: weights.scores, dv: dv,
            on: device)
        }
      }
    }
    return losses
  }
}
