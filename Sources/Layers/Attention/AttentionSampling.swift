internal import Foundation
internal import Kernels
internal import Support

/// Hard attention in a training step (Xu et al. 2015, section 4.1): at each word one region is drawn from the weights of
/// attention and is all that is seen, and attention learns by REINFORCE (Williams 1992) which draws make captions likelier.
///
/// What is ascended, of a caption y and the regions s that were drawn for its words, is the gradient of
///
///     log p(y | s) + λ_r (log p(y | s) − b) log p(s) + λ_e Σₜ H[αₜ]
///
/// where the factor before log p(s) is a number, not differentiated. It is divided by the number of words as the loss is, or
/// weighs what a position weighs there. With λ_r = 1 and λ_e = 0 its mean over all draws is the gradient of the mean of
/// log p(y | s), whatever b is. The paper leaves λ_r and λ_e to be found out; its authors' program has λ_r = 0.1.
public struct AttentionSampling: Sendable, Equatable {
  /// Where the regions come from.
  public enum Locations: Sendable, Equatable {
    /// Drawn for a share of the captions, all words of such a caption; the others see the mean that the weights give, which
    /// makes the estimate less noisy. The seed names the draws, each by its row.
    case drawn(seed: UInt64, share: Float)
    /// The region of each position [P]; -1: the mean.
    case given([Int32])
  }

  /// Where the regions come from.
  public var locations: Locations
  /// b: the log-probability that captions have lately had.
  public var baseline: Float
  /// λ_r.
  public var rewardWeight: Float
  /// λ_e.
  public var entropyWeight: Float
  /// Which rows of a whole batch the rows are, by which draws are named; nil: they are the whole.
  public var rows: PackedRows?

  /// Hard attention.
  public init(_ locations: Locations, baseline: Float, rewardWeight: Float = 1, entropyWeight: Float = 0) {
    self.locations = locations
    self.baseline = baseline
    self.rewardWeight = rewardWeight
    self.entropyWeight = entropyWeight
  }
}

/// The regions that the positions of one training pass see, and what the attention learns of them.
struct DrawnLocations: Sendable {
  private let sampling: AttentionSampling
  /// The region of each position [P]; -1: the mean.
  private(set) var regions: [Int32]
  /// −λ_r (log p(y | s) − b) of each position [P], times what it weighs in the loss.
  private var rewards: [Float] = []

  /// Before the first step of a pass over so many positions.
  init(_ sampling: AttentionSampling, positions: Int) {
    self.sampling = sampling
    switch sampling.locations {
    case .given(let regions):
      precondition(regions.count == positions, "\(regions.count) regions for \(positions) positions")
      self.regions = regions
    case .drawn: regions = [Int32](repeating: -1, count: positions)
    }
  }

  /// Draws the regions of a step, whose row i is sequence i of the batch, from their weights [rows, R]; of rows that are
  /// about no image there is nothing to draw.
  mutating func draw(
    _ positions: Range<Int>, from weights: MutableMatrix, where isSeen: (_ row: Int) -> Bool
  ) {
    guard case .drawn(let seed, let share) = sampling.locations else { return }
    for (row, position) in positions.enumerated() where isSeen(row) {
      let (caption, word) =
        sampling.rows.map { ($0.sequences[row], $0.positions[position]) }
        ?? (Int32(row), Int32(position))
      var coin = Random(seed: seed, stream: 0, UInt64(caption))
      guard coin.uniform() < share else { continue }
      var random = Random(seed: seed, stream: 1, UInt64(word))
      let total = (0..<weights.columns).reduce(0.0) { $0 + Double(weights[row][$1]) }
      let place = Double(random.uniform()) * total
      var sum = 0.0
      for region in 0..<weights.columns where weights[row][region] > 0 {
        regions[position] = Int32(region)
        sum += Double(weights[row][region])
        if place < sum { break }
      }
    }
  }

  /// What the draws were worth: the log-probability of the whole caption, at each of its words.
  mutating func reward(_ sequences: PackedSequences, _ outcome: PassOutcome) {
    let captions = sequences.sequenceOfPosition
    var logProbabilities = [Float](repeating: 0, count: sequences.count)
    for (position, caption) in captions.enumerated() {
      logProbabilities[caption] += outcome.logProbabilities[position]
    }
    rewards = captions.enumerated().map { position, caption in
      -sampling.rewardWeight * (logProbabilities[caption] - sampling.baseline) * outcome.weights[position]
    }
  }

  /// Adds the gradients of log p(s) and of the entropy to those of a step's weights [rows, R]: 1/α of the region that was
  /// seen, and log α + 1.
  func addGradients(_ positions: Range<Int>, _ weights: Matrix, to gradients: MutableMatrix) {
    let entropy = sampling.entropyWeight / Float(max(1, regions.count))
    for (row, position) in positions.enumerated() {
      let region = Int(regions[position])
      if region >= 0 {
        gradients[row][region] += rewards[position] / max(weights[row][region], .leastNormalMagnitude)
      }
      guard entropy != 0 else { continue }
      for region in 0..<weights.columns {
        gradients[row][region] += entropy * (log(max(weights[row][region], .leastNormalMagnitude)) + 1)
      }
    }
  }
}
