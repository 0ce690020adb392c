public import Datasets
internal import Foundation

extension TrainingConfiguration {
  /// What an epoch passes over.
  func units(of train: EncodedSplit) -> Int {
    batchUnit == .captions ? train.captions.count : train.images.count
  }

  /// Steps of an epoch.
  func steps(of train: EncodedSplit) -> Int { (units(of: train) + batchSize - 1) / batchSize }

  /// The batches of an epoch, as indexes of captions or places of images.
  func batches(of train: EncodedSplit, epoch: Int) -> CaptionBatches {
    guard lengthBuckets else {
      return CaptionBatches(
        captionCount: units(of: train), batchSize: batchSize, seed: seed, epoch: epoch)
    }
    return CaptionBatches(
      lengths: train.captions.map(\.count), batchSize: batchSize, seed: seed, epoch: epoch)
  }

  /// What is done to long captions before they are learned; nil: nothing.
  public var lengthLimit: LengthLimit? {
    maximumLength > 0 ? LengthLimit(maximum: maximumLength, rule: longCaptions) : nil
  }

  /// The learning rate of every step.
  func learningRates(stepsPerEpoch: Int) -> LearningRateSchedule {
    let curve: LearningRateSchedule.Curve =
      switch schedule {
      case .constant: .constant
      case .step: .step(factor: learningRateDecay, every: decayEvery)
      case .exponential: .exponential(factor: learningRateDecay, every: decayEvery)
      case .cosine: .cosine(steps: epochs * stepsPerEpoch)
      case .plateau: .plateau(factor: learningRateDecay, patience: decayPatience)
      }
    return LearningRateSchedule(
      learningRate: learningRate, curve, warmUp: warmUp, stopPatience: stopPatience)
  }

  /// The options in which a continuation differs from its run; `epochs` may, unless the schedule depends on it.
  public func differences(from other: TrainingConfiguration) -> [String] {
    func dictionary(_ configuration: TrainingConfiguration) -> [String: String] {
      let object = try? JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration))
      return (object as? [String: Any] ?? [:]).mapValues { value in
        guard value is [String: Any] || value is [Any],
          let text = try? JSONSerialization.data(
            withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
        else { return "\(value)" }
        return String(decoding: text, as: UTF8.self)
      }
    }
    let (mine, theirs) = (dictionary(self), dictionary(other))
    return mine.keys.sorted().filter { mine[$0] != theirs[$0] && ($0 != "epochs" || schedule == .cosine) }
      .map { "\($0): \(theirs[$0] ?? "") then, \(mine[$0] ?? "") now" }
  }
}
