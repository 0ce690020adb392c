/// Which rows of a whole batch those of a part of it are, for what is drawn by row.
public struct PackedRows: Sendable, Equatable {
  /// Of each position [P].
  public let positions: [Int32]
  /// Of each sequence [B].
  public let sequences: [Int32]
  /// Of each image [N].
  public let images: [Int32]
  /// The number of sequences of the whole that are live at each step [T].
  public let wholeBatchSizes: [Int]

  /// Positions of the whole.
  public var wholePositions: Int { wholeBatchSizes.reduce(0, +) }
  /// Sequences of the whole.
  public var wholeSequences: Int { wholeBatchSizes.first ?? 0 }

  /// Of each position where every sequence has one more, before its first [B + P].
  public var precededByInput: [Int32] { sequences + positions.map { $0 + Int32(wholeSequences) } }
}

extension PackedSequences {
  /// A part of a batch that several processes share.
  /// - Parameters:
  ///   - chosen: the numbers of its sequences, in order.
  ///   - images: the rows of the features that the part has, in order; all that its sequences are about.
  /// - Returns: the sequences, about the part's own features, and which rows of the whole all are.
  public func part(_ chosen: [Int], about images: [Int32]) -> (sequences: PackedSequences, rows: PackedRows) {
    var (inputs, targets, batchSizes, positions) = ([Int32](), [Int32](), [Int](), [Int32]())
    for step in steps {
      let live = chosen.prefix { $0 < step.rows }.map { step.range.lowerBound + $0 }
      guard !live.isEmpty else { break }
      inputs += live.map { self.inputs[$0] }
      targets += live.map { self.targets[$0] }
      positions += live.map { Int32($0) }
      batchSizes.append(live.count)
    }
    var places: [Int32: Int32] = [:]
    for (place, image) in images.enumerated() { places[image] = Int32(place) }
    let sequences = PackedSequences(
      inputs: inputs, targets: targets, batchSizes: batchSizes,
      imageRows: chosen.map { sequence in
        guard let place = places[imageRows[sequence]] else {
          preconditionFailure("sequence \(sequence) is about an image of another part")
        }
        return place
      })
    let rows = PackedRows(
      positions: positions, sequences: chosen.map { Int32($0) }, images: images,
      wholeBatchSizes: self.batchSizes)
    return (sequences, rows)
  }
}
