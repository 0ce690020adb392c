internal import Foundation

/// The learning rate of every step, and the end of the run when validation no longer improves.
///
/// After a linear warm-up the rate follows a curve, whose clock starts when the warm-up ends.
package struct LearningRateSchedule: Codable, Equatable, Sendable {
  /// How the rate falls; t counts the steps after the warm-up.
  package enum Curve: Codable, Equatable, Sendable {
    /// It does not.
    case constant
    /// factor^⌊t/every⌋: at once, every so many steps.
    case step(factor: Double, every: Int)
    /// factor^(t/every): as much in the same time, but smoothly.
    case exponential(factor: Double, every: Int)
    /// Along half a cosine to zero at step `steps`, the warm-up included (Loshchilov & Hutter 2017, no restarts).
    case cosine(steps: Int)
    /// By `factor` whenever `patience` validations in a row have brought nothing better.
    case plateau(factor: Double, patience: Int)
  }

  /// What a validation means for the run.
  enum Verdict: Equatable { case improved, stalled, finished }

  private let learningRate: Double
  private let curve: Curve
  private let warmUp, stopPatience: Int
  private var plateauFactor = 1.0
  // JSON has no infinity: no best yet is none.
  private var bestLoss: Double?
  /// The epoch of the best validation so far; 0 before the first.
  private(set) var bestEpoch = 0
  private var sinceBest = 0
  private var sinceDecay = 0

  /// A schedule at its start.
  /// - Parameters:
  ///   - learningRate: its highest, at the end of the warm-up.
  ///   - warmUp: steps over which the rate rises to it linearly: the n-th of them has n/warmUp of it.
  ///   - stopPatience: validations without improvement that end the run.
  package init(learningRate: Double, _ curve: Curve, warmUp: Int = 0, stopPatience: Int) {
    self.learningRate = learningRate
    self.curve = curve
    self.warmUp = warmUp
    self.stopPatience = stopPatience
  }

  /// This schedule, from where another one stands that the run has followed so far. What validation has found is kept;
  /// where the rate or its curve is another, patience begins anew, and with another rate so do the falls.
  func goingOn(from earlier: LearningRateSchedule) -> LearningRateSchedule {
    var result = self
    result.bestLoss = earlier.bestLoss
    result.bestEpoch = earlier.bestEpoch
    if learningRate == earlier.learningRate { result.plateauFactor = earlier.plateauFactor }
    if learningRate == earlier.learningRate && curve == earlier.curve {
      result.sinceBest = earlier.sinceBest
      result.sinceDecay = earlier.sinceDecay
    }
    return result
  }

  /// Whether validation has brought nothing better for so long that the run ends.
  var isExhausted: Bool { sinceBest >= stopPatience }

  /// The lowest validation loss so far.
  var best: Double { bestLoss ?? .infinity }

  /// The learning rate of the step after `done` steps.
  package func learningRate(after done: Int) -> Double {
    if done < warmUp { return learningRate * plateauFactor * (Double(done) + 1) / Double(warmUp) }
    let t = Double(done) - Double(warmUp)
    switch curve {
    case .constant: return learningRate
    case .step(let factor, let every): return learningRate * pow(factor, (t / Double(every)).rounded(.down))
    case .exponential(let factor, let every): return learningRate * pow(factor, t / Double(every))
    case .cosine(let steps):
      let length = max(1, Double(steps) - Double(warmUp))
      return learningRate * (1 + cos(.pi * min(t, length) / length)) / 2
    case .plateau: return learningRate * plateauFactor
    }
  }

  /// Takes in what validation found: its loss, or another figure of which less is better.
  mutating func observe(_ loss: Double, epoch: Int) -> Verdict {
    if loss < best {
      bestLoss = loss
      bestEpoch = epoch
      sinceBest = 0
      sinceDecay = 0
      return .improved
    }
    sinceBest += 1
    sinceDecay += 1
    if isExhausted { return .finished }
    if case .plateau(let factor, let patience) = curve, sinceDecay >= patience {
      plateauFactor *= factor
      sinceDecay = 0
    }
    return .stalled
  }

  /// Whether a run can have got there: a decoded one need not.
  var isPossible: Bool {
    let period: Int
    switch curve {
    case .step(_, let every), .exponential(_, let every): period = every
    case .plateau(_, let patience): period = patience
    case .constant, .cosine: period = 1
    }
    return period > 0 && [warmUp, bestEpoch, sinceBest, sinceDecay].allSatisfy((0..<1 << 48).contains)
  }
}
