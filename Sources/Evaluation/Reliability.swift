internal import Support

/// How well probabilities that were told agree with what came true: the reliability diagram and its sums.
public struct Reliability: Sendable, Equatable {
  /// The predictions between two probabilities.
  public struct Bin: Sendable, Equatable {
    /// The predictions in it.
    public let count: Int
    /// Their mean; 0 if there are none.
    public let predicted: Double
    /// The share of them that came true; 0 if there are none.
    public let observed: Double
  }

  /// Ten bins of equal width, 0 to 1; each but the first without its lower end.
  public let bins: [Bin]
  /// The expected calibration error: the mean of |predicted − observed| over the bins, weighted by their counts.
  public let expectedCalibrationError: Double
  /// The mean squared difference to what came true (Brier 1950).
  public let brierScore: Double
  /// The chance that something that came true had a higher probability than something that did not; ties count
  /// half. 1/2 if all or none came true.
  public let auc: Double
  /// The share that came true.
  public let baseRate: Double

  /// Judges predictions, 0…1 each; at least one.
  public init(_ probabilities: [Double], _ outcomes: [Bool]) {
    precondition(probabilities.count == outcomes.count && !outcomes.isEmpty)
    let count = Double(outcomes.count)
    var sums = [(count: Int, predicted: Double, observed: Int)](repeating: (0, 0, 0), count: 10)
    var squares = 0.0
    for (probability, outcome) in zip(probabilities, outcomes) {
      let bin = min(9, max(0, Int(saturating: min(10, probability * 10).rounded(.up)) - 1))
      sums[bin].count += 1
      sums[bin].predicted += probability
      sums[bin].observed += outcome ? 1 : 0
      let difference = probability - (outcome ? 1 : 0)
      squares += difference * difference
    }
    bins = sums.map {
      let total = Double(max(1, $0.count))
      return Bin(count: $0.count, predicted: $0.predicted / total, observed: Double($0.observed) / total)
    }
    expectedCalibrationError = bins.reduce(0) {
      $0 + Double($1.count) / count * abs($1.predicted - $1.observed)
    }
    brierScore = squares / count
    baseRate = Double(outcomes.count { $0 }) / count
    auc = Self.auc(probabilities, outcomes)
  }

  /// From the sum of the ranks of what came true (Mann & Whitney 1947).
  private static func auc(_ probabilities: [Double], _ outcomes: [Bool]) -> Double {
    let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
    var (rankSum, positives) = (0.0, 0)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, probabilities[order[end]] == probabilities[order[start]] { end += 1 }
      let trues = order[start..<end].count { outcomes[$0] }
      rankSum += Double(trues) * Double(start + 1 + end) / 2
      positives += trues
      start = end
    }
    let negatives = order.count - positives
    guard positives > 0, negatives > 0 else { return 0.5 }
    return (rankSum - Double(positives) * Double(positives + 1) / 2) / (Double(positives) * Double(negatives))
  }
}
