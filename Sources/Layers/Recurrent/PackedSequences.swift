/// Sequences of a batch, packed time-major without padding, the longest first: all first tokens, then all second tokens
/// of the sequences that have one, … P positions in all.
public struct PackedSequences: Sendable, Equatable {
  /// The token that each position reads [P]: the start token, then the sequence's own.
  public let inputs: [Int32]
  /// The token that each position should predict [P]: the sequence's own, then the end token.
  public let targets: [Int32]
  /// The number of sequences that are still live at each step [T]; never rises.
  public let batchSizes: [Int]
  /// What each sequence is about [B]: a row of the images' features.
  public let imageRows: [Int32]

  /// The time steps [T].
  public let steps: [PackedStep]

  /// Checks that the numbers fit together.
  public init(inputs: [Int32], targets: [Int32], batchSizes: [Int], imageRows: [Int32]) {
    precondition(inputs.count == targets.count && inputs.count == batchSizes.reduce(0, +))
    precondition(batchSizes.first ?? 0 == imageRows.count && batchSizes.allSatisfy { $0 > 0 })
    precondition(zip(batchSizes, batchSizes.dropFirst()).allSatisfy { $0 >= $1 }, "\(batchSizes)")
    precondition(imageRows.allSatisfy { $0 >= 0 })
    self.inputs = inputs
    self.targets = targets
    self.batchSizes = batchSizes
    self.imageRows = imageRows
    var steps: [PackedStep] = []
    var start = 0
    for (index, live) in batchSizes.enumerated() {
      let before = steps.last.map { $0.range.lowerBound..<$0.range.lowerBound + live }
      steps.append(PackedStep(index: index, range: start..<start + live, before: before))
      start += live
    }
    self.steps = steps
  }

  /// Packs sentences of token ids, without start or end tokens, each about image `imageRows[i]`.
  /// - Returns: the batch, and for each of its sequences the number of the sentence.
  public static func packing(
    _ sentences: [[Int32]], imageRows: [Int32], start: Int32, end: Int32
  ) -> (sequences: PackedSequences, order: [Int]) {
    precondition(sentences.count == imageRows.count)
    let order = sentences.indices.sorted { (sentences[$1].count, $0) < (sentences[$0].count, $1) }
    var (inputs, targets, batchSizes): ([Int32], [Int32], [Int]) = ([], [], [])
    for t in 0...(order.first.map { sentences[$0].count } ?? 0) {
      let live = order.prefix { sentences[$0].count >= t }
      if live.isEmpty { break }
      for sentence in live.map({ sentences[$0] }) {
        inputs.append(t == 0 ? start : sentence[t - 1])
        targets.append(t < sentence.count ? sentence[t] : end)
      }
      batchSizes.append(live.count)
    }
    let sequences = PackedSequences(
      inputs: inputs, targets: targets, batchSizes: batchSizes, imageRows: order.map { imageRows[$0] })
    return (sequences, order)
  }

  /// Traps where a token or an image is none of so many: a batch that was made for another decoder.
  public func requireTokens(below vocabulary: Int, images: Int) {
    precondition(imageRows.allSatisfy { $0 < images }, "an image row beyond \(images)")
    precondition(
      (inputs + targets).allSatisfy { $0 >= 0 && $0 < vocabulary },
      "a token beyond the vocabulary of \(vocabulary)")
  }

  /// The same with a step before the first, in which every sequence reads something that is no token; its B positions
  /// have no targets.
  public var precededByInput: PackedSequences {
    let none = [Int32](repeating: 0, count: count)
    return PackedSequences(
      inputs: none + inputs, targets: none + targets, batchSizes: count == 0 ? [] : [count] + batchSizes,
      imageRows: imageRows)
  }

  /// P.
  public var positions: Int { inputs.count }
  /// B.
  public var count: Int { imageRows.count }

  /// The image that each position is about [P].
  public var imageOfPosition: [Int32] {
    var images: [Int32] = []
    images.reserveCapacity(positions)
    for live in batchSizes { images += imageRows[..<live] }
    return images
  }

  /// The position that stands at each position when every sequence is read from its end [P].
  public var reversed: [Int32] {
    var lengths = [Int](repeating: 0, count: count)
    for live in batchSizes {
      for sequence in 0..<live { lengths[sequence] += 1 }
    }
    return steps.flatMap { step in
      (0..<step.rows).map {
        Int32(steps[lengths[$0] - 1 - step.index].range.lowerBound + $0)
      }
    }
  }

  /// Which sequence each position belongs to [P].
  public var sequenceOfPosition: [Int] { batchSizes.flatMap { Array(0..<$0) } }
}

/// One time step of packed sequences.
public struct PackedStep: Sendable, Equatable {
  /// t, from 0.
  public let index: Int
  /// Its positions.
  public let range: Range<Int>
  /// The positions of the step before that its rows go on from; nil at the first.
  public let before: Range<Int>?

  /// The sequences that are live.
  public var rows: Int { range.count }
}
