public import Kernels
public import Layers

/// What a decoder thinks of given sequences: teacher forcing, without dropout. The one way in which sequences are scored:
/// in `score`, in evaluation and in validation.
public struct TeacherForcedScores: Sendable {
  /// ln p of each target [P].
  public private(set) var logProbs: [Float] = []
  /// 1 + the number of tokens likelier than the target [P].
  public private(set) var ranks: [Int] = []
  /// The likeliest tokens of each position [P][k]; none where none were asked for.
  public private(set) var likeliest: [[(id: Int32, logProb: Float)]] = []

  /// Rows whose logits are in memory together.
  private static let block = 512

  /// Scores packed sequences.
  /// - Parameters:
  ///   - images: what they are about: their `imageRows` are rows of it.
  ///   - count: k.
  ///   - cache: of this very decoder.
  public init(
    _ decoder: some SequenceDecoder, _ sequences: PackedSequences, about images: ImageFeatures,
    likeliest count: Int = 0, sharing cache: DecodingCache = DecodingCache(), on device: Device
  ) {
    var session = decoder.session(for: images, sharing: cache, on: device)
    session.select(sequences.imageRows)
    logProbs.reserveCapacity(sequences.positions)
    ranks.reserveCapacity(sequences.positions)
    for step in sequences.steps {
      if step.rows < session.rows { session.select((0..<Int32(step.rows)).map { $0 }) }
      session.advance(Array(sequences.inputs[step.range]))
      for first in stride(from: 0, to: step.rows, by: Self.block) {
        let rows = first..<min(step.rows, first + Self.block)
        let start = step.range.lowerBound
        let found = session.scores(of: rows).standing(
          of: Array(sequences.targets[start + rows.lowerBound..<start + rows.upperBound]), likeliest: count)
        logProbs += found.logProbs
        ranks += found.ranks
        guard let top = found.likeliest else { continue }
        likeliest += rows.indices.map { row in
          let places = row * top.count..<(row + 1) * top.count
          return zip(top.ids[places], top.logProbabilities[places]).filter { $0.0 >= 0 }.map { ($0, $1) }
        }
      }
    }
  }
}

extension PackedSequences {
  /// What belongs to positions [P], sequence by sequence in the order in which `packing` was given them.
  public func unpacked<T>(_ flat: [T], _ order: [Int]) -> [[T]] {
    var result = [[T]](repeating: [], count: count)
    for step in steps {
      for row in 0..<step.rows { result[order[row]].append(flat[step.range.lowerBound + row]) }
    }
    return result
  }
}
