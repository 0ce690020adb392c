internal import Datasets
internal import Support
internal import Tensors

/// The streams of random numbers of a run, each named by seed and step.
enum RandomStream: UInt64 {
  case initialisation = 1
  case view, headDropout, decoderDropout, drawnCaptions, scheduledSampling, text, labels, scores
  case sideInitialisation, preparation
}

/// What each step of a run consists of: captions in the order of their epoch, and beside them what the run learns from
/// without captions, drawn at random for the step. Any step can be asked for alone; of several processes, each has its part.
struct TrainingMixture {
  private let configuration: TrainingConfiguration
  private let train: EncodedSplit
  private let beside: SideData
  private let share: BatchShare

  init(_ configuration: TrainingConfiguration, _ data: TrainingData, _ share: BatchShare = .whole) {
    self.configuration = configuration
    self.share = share
    train = data.train
    beside = data.beside
  }

  /// A random stream of a step.
  func random(_ stream: RandomStream, step: Int) -> Random {
    Random(seed: configuration.seed, stream: stream.rawValue, UInt64(bitPattern: Int64(step + 1)))
  }

  /// What a step of an epoch learns from.
  /// - Parameters:
  ///   - chosen: captions, or places of images, as the batch unit has it.
  ///   - step: how many came before, in all epochs.
  func batch(_ chosen: ArraySlice<Int>, step: Int) -> TrainingBatch {
    var views = random(.view, step: step)
    var batch =
      switch configuration.batchUnit {
      case .captions: train.batch(captions: chosen, share, using: &views)
      case .images: train.batch(images: chosen, share, using: &views)
      }
    addText(to: &batch, step)
    addLabels(to: &batch, step)
    if configuration.teacherScoresWeight > 0 { addScores(to: &batch, random(.scores, step: step)) }
    return batch
  }

  /// Sentences alone, for a step before the captions.
  func sentences(step: Int) -> TrainingBatch {
    var random = random(.preparation, step: step)
    var batch = TrainingBatch(width: train.photos.width, share)
    batch.add(text: drawnText(configuration.batchSize, using: &random))
    return batch
  }

  /// A teacher's photos alone, for a step before the captions.
  func scoredPhotos(step: Int) -> TrainingBatch {
    var batch = TrainingBatch(width: train.photos.width, share)
    addScores(to: &batch, random(.preparation, step: step))
    return batch
  }

  private func addText(to batch: inout TrainingBatch, _ step: Int) {
    guard configuration.textShare > 0, !beside.text.isEmpty else { return }
    var random = random(.text, step: step)
    let count = added(to: batch.sentences.count, share: configuration.textShare, step, using: &random)
    batch.add(text: drawnText(count, using: &random))
  }

  private func drawnText(_ count: Int, using random: inout Random) -> [[Int32]] {
    (0..<count).map { _ in Array(beside.text[Int.random(in: 0..<beside.text.count, using: &random)]) }
  }

  /// How many sentences of a kind join the captions, so that they are a share of all: a fraction of one by chance.
  private func added(to captions: Int, share: Double, _ step: Int, using random: inout Random) -> Int {
    let others = configuration.textShare + configuration.labelShare(step: step)
    let exact = Double(captions) * share / max(0.01, 1 - others)
    return Int(saturating: (exact + Double(random.uniform())).rounded(.down))
  }

  /// Photos with names: to be classified, to be told of in a few words, or both.
  private func addLabels(to batch: inout TrainingBatch, _ step: Int) {
    guard let labels = beside.labels, !labels.rows.isEmpty else { return }
    var random = random(.labels, step: step)
    let share = configuration.labelShare(step: step)
    let told =
      share > 0 ? added(to: batch.taughtCount, share: share, step, using: &random) : 0
    let classified = configuration.labelWeight > 0 ? configuration.labelBatch : 0
    let count = max(told, classified)
    guard count > 0 else { return }
    let rows = (0..<count).map { _ in labels.rows[Int.random(in: 0..<labels.rows.count, using: &random)] }
    let photos = labels.photos.drawn(rows, at: batch.own(of: count), using: &random)
    let captions = rows.prefix(told).map { row in
      labels.captions[Int(labels.labels[row])][Int.random(in: 0..<LabelTemplates.count, using: &random)]
    }
    batch.add(
      labelled: photos, of: count,
      labels: rows.prefix(classified).map { labels.labels[$0] }, captions: captions)
  }

  private func addScores(to batch: inout TrainingBatch, _ random: Random) {
    guard let scores = beside.scores, !scores.rows.isEmpty else { return }
    var random = random
    let rows = (0..<configuration.teacherBatch).map { _ in
      scores.rows[Int.random(in: 0..<scores.rows.count, using: &random)]
    }
    let own = batch.own(of: rows.count)
    batch.add(
      scored: scores.photos.drawn(rows, at: own, using: &random), of: rows.count,
      scores: scores.scores(of: own.map { rows[$0] }))
  }
}
