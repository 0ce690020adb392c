internal import Kernels
internal import Layers

/// What the decoder thinks of every word that could follow each of some captions, a row each. Asking overwrites the
/// logits, so each is asked once.
struct WordScores {
  let vocabularySize: Int
  private let rows: Int
  private let logits: UnsafeMutablePointer<Float>
  private let bias: UnsafePointer<Float>?
  private let pool: ThreadPool

  /// - Parameter logits: [rows, V] as a step left them, without the bias.
  init(_ decoder: CaptionDecoder, rows: Int, _ logits: UnsafeMutablePointer<Float>, pool: ThreadPool) {
    (self.rows, self.logits, self.pool) = (rows, logits, pool)
    vocabularySize = decoder.configuration.vocabularySize
    // The decoder outlives this: it is the search's.
    bias = decoder.output.linear.bias?.value.pointer
  }

  /// One word in every row, whatever its rank.
  func only(_ word: Int32) -> TopClasses {
    let ids = [Int32](repeating: word, count: rows)
    var logProbs = [Float](repeating: 0, count: rows)
    softmaxCrossEntropy(
      rows: rows, columns: vocabularySize, logits: logits, bias: bias, targets: ids, gradientScale: 0,
      logProbabilities: &logProbs, pool: pool)
    return TopClasses(count: 1, ids: ids, logProbabilities: logProbs)
  }

  /// The likeliest words of each row.
  func likeliest(
    _ count: Int, excluding excluded: [Int32] = [], excludingByRow excludedByRow: [[Int32]] = []
  ) -> TopClasses {
    topClasses(
      count, rows: rows, columns: vocabularySize, logits: logits, bias: bias, excluding: excluded,
      excludingByRow: excludedByRow, pool: pool)
  }

  /// A word drawn in each row.
  func drawn(
    _ sampling: ClassSampling, excludingByRow excludedByRow: [[Int32]], uniforms: [Double]
  ) -> TopClasses {
    sampledClasses(
      sampling, rows: rows, columns: vocabularySize, logits: logits, bias: bias,
      excludingByRow: excludedByRow, uniforms: uniforms, pool: pool)
  }

  /// As `likeliest` gave them, with some more words in each row, whatever their rank; only these when a row has no room for others.
  /// - Parameters:
  ///   - words: for each row, words that were not excluded from `top`.
  ///   - room: how many words may still follow.
  func adding(_ words: [[Int32]], to top: TopClasses, room: Int) -> TopClasses {
    let count = top.count + (words.map(\.count).max() ?? 0)
    var ids = [Int32](repeating: -1, count: rows * count)
    var logProbs = [Float](repeating: -.infinity, count: rows * count)
    for (row, added) in words.enumerated() {
      let first = row * top.count
      guard top.count > 0, top.ids[first] >= 0 else { continue }
      // The memory holds the sums whose log softmax the likeliest is: the two differ by the row's normaliser.
      let sums = logits + row * vocabularySize
      let normalizer = sums[Int(top.ids[first])] - top.logProbabilities[first]
      var place = row * count
      for word in added {
        (ids[place], logProbs[place]) = (word, sums[Int(word)] - normalizer)
        place += 1
      }
      if !added.isEmpty && added.count >= room { continue }
      for index in first..<first + top.count where !added.contains(top.ids[index]) {
        (ids[place], logProbs[place]) = (top.ids[index], top.logProbabilities[index])
        place += 1
      }
    }
    return TopClasses(count: count, ids: ids, logProbabilities: logProbs)
  }
}
