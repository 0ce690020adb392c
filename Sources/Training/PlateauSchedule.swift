internal import Foundation

/// Lowers the learning rate when validation has stalled, and ends the run when it stays so.
struct PlateauSchedule: Codable, Equatable, Sendable {
  /// What each epoch's validation means for the run.
  enum Verdict: Equatable { case improved, stalled, finished }

  /// The learning rate of the plateau schedule, and the start of the cosine's.
  private(set) var learningRate: Double
  private(set) var best = Double.infinity
  private(set) var bestEpoch = 0
  private var sinceBest = 0
  private var sinceDecay = 0

  init(learningRate: Double) { self.learningRate = learningRate }

  /// The learning rate of the step after `done` of `total` steps.
  func learningRate(after done: Int, of total: Int, _ configuration: TrainingConfiguration) -> Double {
    guard configuration.schedule == .cosine, total > 0 else { return learningRate }
    return learningRate * (1 + cos(.pi * Double(min(done, total)) / Double(total))) / 2
  }

  /// Takes in the validation loss (nats per word) of an epoch.
  mutating func observe(_ loss: Double, epoch: Int, _ configuration: TrainingConfiguration) -> Verdict {
    if loss < best {
      (best, bestEpoch, sinceBest, sinceDecay) = (loss, epoch, 0, 0)
      return .improved
    }
    sinceBest += 1
    sinceDecay += 1
    if sinceBest >= configuration.stopPatience { return .finished }
    if configuration.schedule == .plateau && sinceDecay >= configuration.decayPatience {
      learningRate *= configuration.learningRateDecay
      sinceDecay = 0
    }
    return .stalled
  }

  private enum CodingKeys: String, CodingKey { case learningRate, best, bestEpoch, sinceBest, sinceDecay }

  // JSON has no infinity: no best yet is no key.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    learningRate = try container.decode(Double.self, forKey: .learningRate)
    best = try container.decodeIfPresent(Double.self, forKey: .best) ?? .infinity
    bestEpoch = try container.decode(Int.self, forKey: .bestEpoch)
    sinceBest = try container.decode(Int.self, forKey: .sinceBest)
    sinceDecay = try container.decode(Int.self, forKey: .sinceDecay)
    for (key, count) in [
      (CodingKeys.bestEpoch, bestEpoch), (.sinceBest, sinceBest), (.sinceDecay, sinceDecay),
    ]
    where !(0...1 << 30).contains(count) {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: container, debugDescription: "\(count) is no number of epochs")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(learningRate, forKey: .learningRate)
    if best.isFinite { try container.encode(best, forKey: .best) }
    try container.encode(bestEpoch, forKey: .bestEpoch)
    try container.encode(sinceBest, forKey: .sinceBest)
    try container.encode(sinceDecay, forKey: .sinceDecay)
  }
}
