import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Every count, so that full vectors, leftovers and both together are met on every instruction set.
private let counts = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 131]
private let sets = InstructionSet.available

private func numbers(_ count: Int, _ stream: UInt64, limit: Float = 2) -> [Float] {
  var random = Random(seed: 5, stream: stream)
  return (0..<count).map { _ in (random.uniform() * 2 - 1) * limit }
}

@Test(arguments: sets) func exponentialsAreRight(set: InstructionSet) {
  let x = stride(from: Float(-110), through: 95, by: 0.0137).map { $0 }
  let y = Elementwise.exponential.apply(x, instructions: set)
  #expect(y.count == x.count && x.count > 10_000)
  for (x, y) in zip(x, y) {
    let exact = exp(Double(x))
    if Float(exact) == .infinity {
      #expect(y == .infinity)
    } else {
      // Denormal results have an absolute error of one unit instead.
      #expect(abs(Double(y) - exact) <= 2e-7 * exact + 1.5e-45, "exp(\(x))")
    }
  }
  let ends = Elementwise.exponential.apply(
    [-.infinity, .infinity, .nan, 0, 88.72283, -103], instructions: set)
  #expect(ends[0] == 0 && ends[1] == .infinity && ends[2].isNaN && ends[3] == 1)
  #expect(ends[4].isFinite && ends[5] > 0)
}

@Test(arguments: sets) func sigmoidAndTanhAreRight(set: InstructionSet) {
  let x =
    stride(from: Float(-30), through: 30, by: 0.00731).map { $0 } + [1e-8, -1e-20, 100, -80, 0.625, -0.6249]
  let (sigmoids, tangents) = (
    Elementwise.sigmoid.apply(x, instructions: set), Elementwise.hyperbolicTangent.apply(x, instructions: set)
  )
  #expect(sigmoids.count == x.count && tangents.count == x.count)
  for (x, y) in zip(x, sigmoids) {
    #expect(abs(Double(y) / Reference.sigmoid(Double(x)) - 1) <= 4e-7, "sigmoid(\(x))")
  }
  for (x, y) in zip(x, tangents) where x != 0 {
    #expect(abs(Double(y) / tanh(Double(x)) - 1) <= 3e-7, "tanh(\(x))")
  }
  let ends: [Float] = [-.infinity, .infinity, 0]
  #expect(Elementwise.sigmoid.apply(ends, instructions: set) == [0, 1, 0.5])
  #expect(Elementwise.hyperbolicTangent.apply(ends, instructions: set) == [-1, 1, 0])
}

/// Smoothing takes ε from the target and gives every class ε/V; the log-probability stays.
@Test(arguments: sets) func smoothedLabelsAreRight(set: InstructionSet) {
  for columns in counts {
    let logits = numbers(columns, 6, limit: 4)
    let bias = numbers(columns, 7)
    var (plain, smoothed) = (logits, logits)
    var (logProbability, again) = (Float(0), Float(0))
    softmaxCrossEntropy(
      rows: 1, columns: columns, logits: &plain, bias: bias, targets: [0], gradientScale: 0.5,
      logProbabilities: &logProbability, instructions: set)
    softmaxCrossEntropy(
      rows: 1, columns: columns, logits: &smoothed, bias: bias, targets: [0], gradientScale: 0.5,
      labelSmoothing: 0.2, logProbabilities: &again, instructions: set)
    #expect(again == logProbability)
    for j in 0..<columns {
      let change = 0.5 * ((j == 0 ? 0.2 : 0) - 0.2 / Float(columns))
      #expect(abs(smoothed[j] - plain[j] - change) < 1e-6)
    }
  }
}

@Test(arguments: sets) func crossEntropyIsRight(set: InstructionSet) {
  for columns in counts + [9567] {
    for (limit, offset) in [(Float(4), Float(0)), (1e4, 0), (3, 1e4)] {
      let logits = numbers(3 * columns, 6, limit: limit).map { $0 + offset }
      let bias = numbers(columns, 7)
      let targets: [Int32] = [0, Int32(columns - 1), Int32(columns / 2)]
      var (gradient, kept) = (logits, logits)
      var (logProbabilities, again) = ([Float](repeating: 0, count: 3), [Float](repeating: 0, count: 3))
      softmaxCrossEntropy(
        rows: 3, columns: columns, logits: &gradient, bias: bias, targets: targets, gradientScale: 0.25,
        logProbabilities: &logProbabilities, instructions: set)
      softmaxCrossEntropy(
        rows: 3, columns: columns, logits: &kept, bias: bias, targets: targets, gradientScale: 0,
        logProbabilities: &again, instructions: set)
      #expect(again == logProbabilities)
      for row in 0..<3 {
        let x = (0..<columns).map { Double(logits[row * columns + $0] + bias[$0]) }
        #expect(kept[row * columns] == logits[row * columns] + bias[0])
        let expected = Reference.logSoftmax(x)
        let target = Int(targets[row])
        #expect(abs(Double(logProbabilities[row]) - expected[target]) <= 2e-6 + 2e-7 * abs(expected[target]))
        for j in 0..<columns {
          let slope = (exp(expected[j]) - (j == target ? 1 : 0)) * 0.25
          #expect(abs(Double(gradient[row * columns + j]) - slope) <= 1e-6)
        }
      }
    }
  }
}

@Test(arguments: sets) func topClassesAreTheLargest(set: InstructionSet) {
  for columns in counts + [2540] {
    for k in [1, 3, 10, 64] {
      // Coarse values, so that many are equal.
      let logits = numbers(2 * columns, 8).map { ($0 * 8).rounded() / 2 }
      let bias = [Float](repeating: 0.5, count: columns)
      let excluded: [Int32] = columns > 3 ? [0, 3] : []
      var scratch = logits
      let top = topClasses(
        k, rows: 2, columns: columns, logits: &scratch, bias: bias, excluding: excluded, instructions: set)
      #expect(top.count == min(k, columns))
      for row in 0..<2 {
        let expected = Reference.logSoftmax(logits[row * columns..<(row + 1) * columns].map { Double($0) })
        let order = (0..<columns).filter { !excluded.contains(Int32($0)) }
          .sorted { (expected[$0], -$0) > (expected[$1], -$1) }.prefix(top.count)
        let found = top.ids[row * top.count..<(row + 1) * top.count].filter { $0 >= 0 }
        #expect(found == order.map(Int32.init))
        for (place, id) in order.enumerated() {
          #expect(abs(Double(top.logProbabilities[row * top.count + place]) - expected[id]) < 2e-6)
        }
      }
    }
  }
  var empty: [Float] = [.nan, .nan]
  #expect(topClasses(1, rows: 1, columns: 2, logits: &empty, bias: nil, instructions: set).ids == [-1])
}

@Test(arguments: sets) func dropoutIsTheSameHoweverItIsCut(set: InstructionSet) {
  let (rows, columns) = (37, 1001)
  let x = [Float](repeating: 1, count: rows * columns)
  let dropout = Dropout(rate: 0.3, seed: 0x1234_5678_9ABC)
  var whole = x
  dropout.apply(
    rows: rows, columns: columns, x, into: &whole, pool: ThreadPool(threads: 4), instructions: set)
  var parts = x
  parts.withUnsafeMutableBufferPointer { parts in
    for row in 0..<rows {
      let row0 = parts.baseAddress! + row * columns
      dropout.apply(firstRow: row, rows: 1, columns: columns, row0, into: row0, instructions: sets[0])
    }
  }
  #expect(whole == parts)
  #expect(Set(whole) == [0, dropout.scale])
  let kept = Double(whole.filter { $0 != 0 }.count) / Double(whole.count)
  #expect(abs(kept - 0.7) < 4 * (0.21 / Double(whole.count)).squareRoot())
  // Neighbours and other seeds are independent.
  let pairs = zip(whole, whole.dropFirst()).filter { $0 != 0 && $1 != 0 }.count
  #expect(abs(Double(pairs) / Double(whole.count) - 0.49) < 0.01)
  var other = x
  Dropout(rate: 0.3, seed: 0x1234_5678_9ABD).apply(
    rows: rows, columns: columns, x, into: &other, instructions: set)
  let both = zip(whole, other).filter { $0 != 0 && $1 != 0 }.count
  #expect(abs(Double(both) / Double(whole.count) - 0.49) < 0.01)
}

@Test(arguments: sets) func rectifierAndItsGradient(set: InstructionSet) {
  for columns in counts {
    let x = numbers(3 * columns, 9)
    let bias = numbers(columns, 10)
    let dropout = Dropout(rate: 0.5, seed: 77)
    var y = x
    addBiasRectifyDrop(rows: 3, columns: columns, &y, bias: bias, dropout: dropout, instructions: set)
    var mask = [Float](repeating: 1, count: x.count)
    dropout.apply(rows: 3, columns: columns, mask, into: &mask)
    let expected = x.indices.map { max(0, x[$0] + bias[$0 % columns]) * mask[$0] }
    #expect(y == expected)
    let dy = numbers(3 * columns, 11)
    var dx = dy
    rectifyDropBackward(count: dx.count, y: y, gradient: &dx, dropout: dropout, instructions: set)
    #expect(dx == x.indices.map { expected[$0] > 0 ? dy[$0] * mask[$0] : 0 })
    var added = x
    addBias(rows: 3, columns: columns, &added, bias: bias, instructions: set)
    #expect(added == x.indices.map { x[$0] + bias[$0 % columns] })
  }
}

@Test(arguments: sets) func sumsAndUpdates(set: InstructionSet) {
  for columns in counts + [700] {
    let rows = 9
    let x = numbers(rows * columns, 12)
    var sums = [Float](repeating: .nan, count: columns)
    columnSums(rows: rows, columns: columns, x, into: &sums, instructions: set)
    #expect(sums == (0..<columns).map { j in (0..<rows).reduce(0) { $0 + x[$1 * columns + j] } })

    let indices: [Int32] = [2, 0, 2, 3, 0, 2, 0, 3, 2]
    var scattered = [Float](repeating: .nan, count: 5 * columns)
    scatterRows(
      rows: rows, columns: columns, x, to: indices, into: &scattered, targetRows: 5, instructions: set)
    var expected = [Float](repeating: 0, count: 5 * columns)
    for row in 0..<rows {
      for j in 0..<columns { expected[Int(indices[row]) * columns + j] += x[row * columns + j] }
    }
    #expect(scattered == expected)
    var gathered = x
    gatherRows(rows: rows, columns: columns, from: scattered, indices, into: &gathered)
    #expect(gathered[columns] == expected[0] && gathered[9 * columns - 1] == expected[3 * columns - 1])

    let exact = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(sumOfSquares(x, count: x.count, instructions: set) / exact - 1) < 1e-6)
    var moved = x
    addScaled(count: x.count, 0.5, x, to: &moved, instructions: set)
    #expect(relativeError(moved, x.map { $0 * 1.5 }) < 1e-6)
    updateMovingAverage(count: x.count, average: &moved, of: x, decay: 0.9, instructions: set)
    #expect(relativeError(moved, x.map { $0 * 1.45 }) < 1e-6)
  }
}

@Test(arguments: sets) func adamFollowsItsDefinition(set: InstructionSet) {
  for count in counts {
    let start = numbers(count, 13)
    var (value, m) = (start, [Float](repeating: 0, count: count))
    var v = m
    let gradients = (0..<5).map { numbers(count, 14 + UInt64($0), limit: 10) }
    for (t, gradient) in gradients.enumerated() {
      let step = UpdateStep(learningRate: 1e-2, number: t + 1, gradientScale: 0.5)
      m.withUnsafeMutableBufferPointer { m in
        v.withUnsafeMutableBufferPointer { v in
          guard let m = m.baseAddress, let v = v.baseAddress else { return }
          updateParameter(
            .adam(), step, count: count, value: &value, gradient: gradient, moments: [m, v], instructions: set
          )
        }
      }
    }
    let expected = (0..<count).map { i in
      Float(Reference.adam(Double(start[i]), gradients: gradients.map { Double($0[i]) / 2 }, rate: 1e-2))
    }
    #expect(relativeError(value, expected) < 1e-6)
  }
}

@Test func kernelsGiveTheSameBitsOnAnyNumberOfThreads() {
  let (rows, columns) = (64, 2540)
  let logits = numbers(rows * columns, 20)
  let targets = (0..<rows).map { Int32($0 * 31) }
  func results(_ threads: Int) -> ([Float], [Float], [Float], Double) {
    let pool = ThreadPool(threads: threads)
    var gradient = logits
    var logProbabilities = [Float](repeating: 0, count: rows)
    softmaxCrossEntropy(
      rows: rows, columns: columns, logits: &gradient, bias: nil, targets: targets, gradientScale: 1,
      logProbabilities: &logProbabilities, pool: pool)
    var sums = [Float](repeating: 0, count: columns)
    columnSums(rows: rows, columns: columns, gradient, into: &sums, pool: pool)
    return (gradient, logProbabilities, sums, sumOfSquares(gradient, count: gradient.count, pool: pool))
  }
  let one = results(1)
  for threads in [2, 4] { #expect(results(threads) == one) }
}
