import Foundation
import Kernels
import Support
import Tensors
import TestSupport
import Testing

/// Attention of rows to regions, against its definition in double precision.
@Suite struct AttentionTests {
  /// Three rows that look at two of three images, of R regions, keys of K and values of A.
  private struct Case {
    let images: [Int32] = [2, 0, 2]
    let keys, values, queries, scorer, dSums, dWeights: Tensor
    let regions: Int
    let comparison: Attention.Comparison

    init(
      regions: Int, keys size: Int, values width: Int, comparison: Attention.Comparison = .tanh
    ) {
      var random = Random(seed: 9, stream: UInt64(regions * 1000 + size))
      self.regions = regions
      self.comparison = comparison
      keys = Tensor(uniform: [3 * regions, size], limit: 1, using: &random)
      values = Tensor(uniform: [3 * regions, width], limit: 1, using: &random)
      queries = Tensor(uniform: [3, size], limit: 1, using: &random)
      scorer = Tensor(uniform: [size], limit: 2, using: &random)
      dSums = Tensor(uniform: [3, width], limit: 1, using: &random)
      dWeights = Tensor(uniform: [3, regions], limit: 1, using: &random)
    }

    func at(_ tensor: Tensor, _ row: Int, _ column: Int) -> Double {
      Double(tensor.pointer[row * tensor.shape[1] + column])
    }

    /// f(k + q) [R][K] of a row.
    func compared(_ row: Int) -> [[Double]] {
      (0..<regions).map { region in
        (0..<keys.shape[1]).map {
          let sum = at(keys, Int(images[row]) * regions + region, $0) + at(queries, row, $0)
          return comparison == .relu ? max(0, sum) : tanh(sum)
        }
      }
    }

    func weights(_ row: Int) -> [Double] {
      let scores = compared(row).map { zip($0, scorer.scalars).reduce(0) { $0 + $1.0 * Double($1.1) } }
      let all = scores.map { exp($0 - scores.max()!) }
      return all.map { $0 / all.reduce(0, +) }
    }

    func sum(_ row: Int) -> [Double] {
      let weights = weights(row)
      return (0..<values.shape[1]).map { column in
        (0..<regions).reduce(0) { $0 + weights[$1] * at(values, Int(images[row]) * regions + $1, column) }
      }
    }

    /// δe [R] of a row.
    func scoreGradients(_ row: Int) -> [Double] {
      let weights = weights(row)
      let slopes = (0..<regions).map { region in
        (0..<values.shape[1]).reduce(at(dWeights, row, region)) {
          $0 + at(dSums, row, $1) * at(values, Int(images[row]) * regions + region, $1)
        }
      }
      let mean = zip(weights, slopes).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(weights, slopes).map { $0 * ($1 - mean) }
    }
  }

  @Test(arguments: InstructionSet.available, [(1, 1, 1), (5, 3, 7), (49, 17, 70), (33, 64, 130)])
  func isTheDefinition(set: InstructionSet, size: (regions: Int, keys: Int, values: Int)) {
    for comparison in Attention.Comparison.allCases { isTheDefinition(set, size, comparison) }
  }

  private func isTheDefinition(
    _ set: InstructionSet, _ size: (regions: Int, keys: Int, values: Int), _ comparison: Attention.Comparison
  ) {
    let example = Case(
      regions: size.regions, keys: size.keys, values: size.values, comparison: comparison)
    let device = Device(instructions: set)
    var weights = Tensor(uninitialized: [3, size.regions])
    var sums = Tensor(uninitialized: [3, size.values])
    var dKeys = Tensor(zeros: example.keys.shape)
    var dValues = Tensor(zeros: example.values.shape)
    var dScorer = Tensor(zeros: [3, size.keys])
    var dQueries = Tensor(uninitialized: [3, size.keys])
    var dWeights = example.dWeights
    example.images.withUnsafeBufferPointer { images in
      let attention = Attention(
        keys: example.keys.matrix, values: example.values.matrix, regions: size.regions,
        scorer: example.scorer.pointer, images: images, queries: example.queries.matrix,
        comparison: comparison)
      attention.forward(weights: weights.mutableMatrix(), sums: sums.mutableMatrix(), on: device)
      attention.backward(
        weights: weights.matrix, sums: example.dSums.matrix, weightGradients: dWeights.mutableMatrix(),
        into: .init(
          keys: dKeys.mutableMatrix(), scorer: dScorer.mutableMatrix(), queries: dQueries.mutableMatrix()),
        on: device)
      Attention.addValueGradients(
        to: dValues.mutableMatrix(), weights: weights.matrix, sums: example.dSums.matrix,
        images: example.images, on: device)
    }
    var keyGradients = [Double](repeating: 0, count: example.keys.count)
    var valueGradients = [Double](repeating: 0, count: example.values.count)
    var scorerGradients = [Double](repeating: 0, count: 3 * size.keys)
    var queryGradients = [Double](repeating: 0, count: 3 * size.keys)
    for row in 0..<3 {
      let image = Int(example.images[row])
      let (alpha, scores, compared) = (
        example.weights(row), example.scoreGradients(row), example.compared(row)
      )
      for region in 0..<size.regions {
        for k in 0..<size.keys {
          let t = compared[region][k]
          let rise = comparison == .relu ? (t > 0 ? 1 : 0) : 1 - t * t
          let slope = scores[region] * Double(example.scorer.pointer[k]) * rise
          keyGradients[(image * size.regions + region) * size.keys + k] += slope
          queryGradients[row * size.keys + k] += slope
          scorerGradients[image * size.keys + k] += scores[region] * t
        }
        for column in 0..<size.values {
          valueGradients[(image * size.regions + region) * size.values + column] +=
            alpha[region] * example.at(example.dSums, row, column)
        }
      }
    }
    func expect(_ found: Tensor, _ expected: [Double], _ what: String) {
      #expect(relativeError(found.scalars, expected.map(Float.init)) < 1e-5, "\(what) by \(comparison)")
    }
    expect(weights, (0..<3).flatMap(example.weights), "weights")
    expect(sums, (0..<3).flatMap(example.sum), "sums")
    expect(dValues, valueGradients, "values")
    // One region has the whole weight, whatever its score.
    if size.regions > 1 {
      expect(dKeys, keyGradients, "keys")
      expect(dScorer, scorerGradients, "scorer")
      expect(dQueries, queryGradients, "queries")
    }
  }

  /// Nothing to look with is a query of zeros.
  @Test func noQueryIsZero() {
    let example = Case(regions: 6, keys: 5, values: 4)
    let zeros = Tensor(zeros: [3, 5])
    func weights(_ queries: Matrix?) -> [Float] {
      var (weights, sums) = (Tensor(uninitialized: [3, 6]), Tensor(uninitialized: [3, 4]))
      example.images.withUnsafeBufferPointer { images in
        Attention(
          keys: example.keys.matrix, values: example.values.matrix, regions: 6,
          scorer: example.scorer.pointer, images: images, queries: queries
        ).forward(weights: weights.mutableMatrix(), sums: sums.mutableMatrix(), on: .cpu)
      }
      return weights.scalars
    }
    #expect(weights(nil) == weights(zeros.matrix))
  }
}
