/// Captions of a batch, packed time-major without padding, the longest first: all first words, then all second
/// words of the captions that have one, … P positions in all.
public struct PackedCaptions: Sendable, Equatable {
  /// The word that each position reads [P]: the start token, then the caption's words.
  public let inputs: [Int32]
  /// The word that each position should predict [P]: the caption's words, then the end token.
  public let targets: [Int32]
  /// The number of captions that are still live at each step [T]; never rises.
  public let batchSizes: [Int]
  /// The row of the image features that each caption belongs to [B].
  public let imageRows: [Int32]

  /// Checks that the numbers fit together.
  public init(inputs: [Int32], targets: [Int32], batchSizes: [Int], imageRows: [Int32]) {
    precondition(inputs.count == targets.count && inputs.count == batchSizes.reduce(0, +))
    precondition(batchSizes.first ?? 0 == imageRows.count && batchSizes.allSatisfy { $0 > 0 })
    precondition(zip(batchSizes, batchSizes.dropFirst()).allSatisfy { $0 >= $1 }, "\(batchSizes)")
    precondition(imageRows.allSatisfy { $0 >= 0 })
    (self.inputs, self.targets, self.batchSizes, self.imageRows) = (inputs, targets, batchSizes, imageRows)
  }

  /// Packs sentences of word ids, without start or end tokens, each about image `imageRows[i]`.
  /// - Returns: the batch, and for each of its captions the number of the sentence.
  public static func packing(
    _ sentences: [[Int32]], imageRows: [Int32], start: Int32, end: Int32
  ) -> (captions: PackedCaptions, order: [Int]) {
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
    let captions = PackedCaptions(
      inputs: inputs, targets: targets, batchSizes: batchSizes, imageRows: order.map { imageRows[$0] })
    return (captions, order)
  }

  /// P.
  public var positions: Int { inputs.count }
  /// B.
  public var count: Int { imageRows.count }

  /// Which caption each position belongs to [P].
  public var captionOfPosition: [Int] { batchSizes.flatMap { Array(0..<$0) } }
}
