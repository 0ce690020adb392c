public import Kernels

/// What the decoder thinks of every token that could follow each of some sequences, a row each. Asking overwrites the
/// logits, so each is asked once.
public struct TokenScores {
  private let logits: MutableMatrix
  private let bias: UnsafePointer<Float>?
  private let device: Device

  /// Scores of logits.
  /// - Parameters:
  ///   - logits: [rows, V] without the bias, in memory that may be overwritten.
  ///   - bias: [V]; nil: none. It must outlive the scores.
  public init(_ logits: MutableMatrix, bias: UnsafePointer<Float>?, on device: Device) {
    self.logits = logits
    self.bias = bias
    self.device = device
  }

  /// V.
  public var vocabularySize: Int { logits.columns }
  /// How many sequences there are.
  public var rows: Int { logits.rows }

  /// ln p of one token in each row. Leaves the logits with their bias.
  public func logProbs(of tokens: [Int32]) -> [Float] {
    precondition(tokens.count == rows, "\(tokens.count) tokens for \(rows) rows")
    var logProbs = [Float](repeating: 0, count: rows)
    softmaxCrossEntropy(
      logits, bias: bias, targets: tokens, gradient: .none, into: &logProbs, on: device)
    return logProbs
  }

  /// ln p of several tokens in each row, at least one.
  func logProbs(of tokens: [[Int32]]) -> [[Float]] {
    // They differ from the first one's as the logits do.
    let first = logProbs(of: tokens.map { $0[0] })
    return tokens.enumerated().map { row, tokens in
      let sums = logits[row]
      return tokens.map { first[row] + (sums[Int($0)] - sums[Int(tokens[0])]) }
    }
  }

  /// ln p of one token in each row, 1 + the number of likelier ones, and the `count` likeliest.
  func standing(of tokens: [Int32], likeliest count: Int) -> (
    logProbs: [Float], ranks: [Int], likeliest: TopClasses?
  ) {
    let logProbs = logProbs(of: tokens)
    var ranks = [Int](repeating: 1, count: rows)
    ranks.withUnsafeMutableBufferPointer { ranks in
      nonisolated(unsafe) let ranks = ranks
      device.pool.run(rows) { row in
        let sums = logits[row]
        let own = sums[Int(tokens[row])]
        var above: Int32 = 0
        for token in 0..<vocabularySize { above &+= sums[token] > own ? 1 : 0 }
        ranks[row] = 1 + Int(above)
      }
    }
    guard count > 0 else { return (logProbs, ranks, nil) }
    let top = topClasses(min(count, vocabularySize), of: logits, bias: nil, on: device)
    return (logProbs, ranks, top)
  }

  /// One token in every row, whatever its rank.
  func only(_ token: Int32) -> TopClasses {
    let ids = [Int32](repeating: token, count: rows)
    return TopClasses(count: 1, ids: ids, logProbabilities: logProbs(of: ids))
  }

  /// The likeliest tokens of each row.
  /// - Parameters:
  ///   - excluded: tokens that are left out in every row.
  ///   - excludedByRow: those of each row beside them; none when empty.
  public func likeliest(
    _ count: Int, excluding excluded: [Int32] = [], excludingByRow excludedByRow: [[Int32]] = []
  ) -> TopClasses {
    topClasses(
      count, of: logits, bias: bias, excluding: excluded, excludingByRow: excludedByRow, on: device)
  }

  /// A token drawn in each row.
  /// - Parameter uniforms: for each row, a number in 0..<1 that decides.
  public func drawn(
    _ sampling: ClassSampling = ClassSampling(), excluding excluded: [Int32] = [],
    excludingByRow excludedByRow: [[Int32]] = [], uniforms: [Double]
  ) -> TopClasses {
    sampledClasses(
      sampling, of: logits, bias: bias, excluding: excluded, excludingByRow: excludedByRow,
      uniforms: uniforms, on: device)
  }

  /// As `likeliest` gave them, with some more tokens in each row, whatever their rank; only these
  /// when a row has no room for others.
  /// - Parameters:
  ///   - tokens: for each row, tokens that were not excluded from `top`.
  ///   - room: how many may still follow.
  func adding(_ tokens: [[Int32]], to top: TopClasses, room: Int) -> TopClasses {
    let count = top.count + (tokens.map(\.count).max() ?? 0)
    var ids = [Int32](repeating: -1, count: rows * count)
    var logProbs = [Float](repeating: -.infinity, count: rows * count)
    for (row, added) in tokens.enumerated() {
      let first = row * top.count
      guard top.count > 0, top.ids[first] >= 0 else { continue }
      // The memory holds the sums whose log softmax the likeliest is: the two differ by the row's normaliser.
      let sums = logits[row]
      let normalizer = sums[Int(top.ids[first])] - top.logProbabilities[first]
      var place = row * count
      for token in added {
        ids[place] = token
        logProbs[place] = sums[Int(token)] - normalizer
        place += 1
      }
      if !added.isEmpty && added.count >= room { continue }
      for index in first..<first + top.count where !added.contains(top.ids[index]) {
        ids[place] = top.ids[index]
        logProbs[place] = top.logProbabilities[index]
        place += 1
      }
    }
    return TopClasses(count: count, ids: ids, logProbabilities: logProbs)
  }
}
