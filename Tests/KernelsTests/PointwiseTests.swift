import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Every count, so that full vectors, leftovers and both together are met on every instruction set.
private let counts = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 131]
private let sets = InstructionSet.available

/// e^x, σ(x) or tanh x by the kernels' polynomials.
private func applied(_ function: Elementwise, _ x: [Float], _ set: InstructionSet) -> [Float] {
  let table = set.table.pointer.pointee
  let row =
    switch function {
    case .exponential: table.exp_row!
    case .sigmoid: table.sigmoid_row!
    case .hyperbolicTangent: table.tanh_row!
    }
  var y = [Float](repeating: .nan, count: x.count)
  row(x, &y, x.count)
  return y
}

private enum Elementwise { case exponential, sigmoid, hyperbolicTangent }

private func numbers(_ count: Int, _ stream: UInt64, limit: Float = 2) -> [Float] {
  var random = Random(seed: 5, stream: stream)
  return (0..<count).map { _ in (random.uniform() * 2 - 1) * limit }
}

@Test(arguments: sets) func exponentialsAreRight(set: InstructionSet) {
  let x = stride(from: Float(-110), through: 95, by: 0.0137).map { $0 }
  let y = applied(.exponential, x, set)
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
  let ends = applied(
    .exponential, [-.infinity, .infinity, .nan, 0, 88.72283, -103], set)
  #expect(ends[0] == 0 && ends[1] == .infinity && ends[2].isNaN && ends[3] == 1)
  #expect(ends[4].isFinite && ends[5] > 0)
}

@Test(arguments: sets) func sigmoidAndTanhAreRight(set: InstructionSet) {
  let x =
    stride(from: Float(-30), through: 30, by: 0.00731).map { $0 } + [1e-8, -1e-20, 100, -80, 0.625, -0.6249]
  let (sigmoids, tangents) = (
    applied(.sigmoid, x, set), applied(.hyperbolicTangent, x, set)
  )
  #expect(sigmoids.count == x.count && tangents.count == x.count)
  for (x, y) in zip(x, sigmoids) {
    #expect(abs(Double(y) / Reference.sigmoid(Double(x)) - 1) <= 4e-7, "sigmoid(\(x))")
  }
  for (x, y) in zip(x, tangents) where x != 0 {
    #expect(abs(Double(y) / tanh(Double(x)) - 1) <= 3e-7, "tanh(\(x))")
  }
  let ends: [Float] = [-.infinity, .infinity, 0]
  #expect(applied(.sigmoid, ends, set) == [0, 1, 0.5])
  #expect(applied(.hyperbolicTangent, ends, set) == [-1, 1, 0])
}

/// Smoothing takes ε from the target and gives every class ε/V; the log-probability stays.
@Test(arguments: sets) func smoothedLabelsAreRight(set: InstructionSet) {
  for columns in counts {
    let logits = numbers(columns, 6, limit: 4)
    let bias = numbers(columns, 7)
    let device = Device(instructions: set)
    var plain = Tensor(logits, [1, columns])
    var smoothed = plain
    var logProbability: Float = 0
    var again: Float = 0
    softmaxCrossEntropy(
      plain.mutableMatrix(), bias: bias, targets: [0], gradient: .init(scale: 0.5), into: &logProbability,
      on: device)
    softmaxCrossEntropy(
      smoothed.mutableMatrix(), bias: bias, targets: [0], gradient: .init(scale: 0.5, labelSmoothing: 0.2),
      into: &again, on: device)
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
      let device = Device(instructions: set)
      var gradient = Tensor(logits, [3, columns])
      var kept = gradient
      var logProbabilities = [Float](repeating: 0, count: 3)
      var again = logProbabilities
      softmaxCrossEntropy(
        gradient.mutableMatrix(), bias: bias, targets: targets, gradient: .init(scale: 0.25),
        into: &logProbabilities, on: device)
      softmaxCrossEntropy(
        kept.mutableMatrix(), bias: bias, targets: targets, gradient: .none, into: &again, on: device)
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
      var scratch = Tensor(logits, [2, columns])
      let top = topClasses(
        k, of: scratch.mutableMatrix(), bias: bias, excluding: excluded, on: Device(instructions: set))
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
  var empty = Tensor([.nan, .nan], [1, 2])
  let none = topClasses(1, of: empty.mutableMatrix(), bias: nil, on: Device(instructions: set))
  #expect(none.ids == [-1])
}

@Test(arguments: sets) func dropoutIsTheSameHoweverItIsCut(set: InstructionSet) {
  let (rows, columns) = (37, 1001)
  let x = Tensor(repeating: 1, [rows, columns])
  let dropout = Dropout(rate: 0.3, seed: 0x1234_5678_9ABC)
  func dropped(_ dropout: Dropout, on device: Device) -> [Float] {
    var y = x
    dropout.apply(x.matrix, into: y.mutableMatrix(), on: device)
    return y.scalars
  }
  let whole = dropped(dropout, on: Device(pool: ThreadPool(threads: 4), instructions: set))
  var changed = x
  let memory = changed.mutableMatrix()
  for row in 0..<rows {
    let part = memory.rows(row..<row + 1)
    dropout.apply(Matrix(part), into: part, firstRow: row, on: Device(instructions: sets[0]))
  }
  let parts = changed.scalars
  #expect(whole == parts)
  #expect(Set(whole) == [0, dropout.scale])
  let kept = Double(whole.filter { $0 != 0 }.count) / Double(whole.count)
  #expect(abs(kept - 0.7) < 4 * (0.21 / Double(whole.count)).squareRoot())
  // Neighbours and other seeds are independent.
  let pairs = zip(whole, whole.dropFirst()).filter { $0 != 0 && $1 != 0 }.count
  #expect(abs(Double(pairs) / Double(whole.count) - 0.49) < 0.01)
  let other = dropped(Dropout(rate: 0.3, seed: 0x1234_5678_9ABD), on: Device(instructions: set))
  let both = zip(whole, other).filter { $0 != 0 && $1 != 0 }.count
  #expect(abs(Double(both) / Double(whole.count) - 0.49) < 0.01)
}

@Test(arguments: sets) func reluAndItsGradient(set: InstructionSet) {
  let device = Device(instructions: set)
  for columns in counts {
    let x = Tensor(numbers(3 * columns, 9), [3, columns])
    let bias = numbers(columns, 10)
    let dropout = Dropout(rate: 0.5, seed: 77)
    var y = x
    addBiasReLUDropout(bias, to: y.mutableMatrix(), dropout, on: device)
    var mask = Tensor(repeating: 1, x.shape)
    dropout.apply(&mask, on: .cpu)
    let expected = (0..<x.count).map { max(0, x[$0] + bias[$0 % columns]) * mask[$0] }
    #expect(y.scalars == expected)
    let dy = Tensor(numbers(3 * columns, 11), [3, columns])
    var dx = dy
    reluDropoutBackward(y.matrix, gradient: dx.mutableMatrix(), dropout, on: device)
    #expect(dx.scalars == (0..<x.count).map { expected[$0] > 0 ? dy[$0] * mask[$0] : 0 })
    var added = x
    addBias(bias, to: added.mutableMatrix(), on: device)
    #expect(added.scalars == (0..<x.count).map { x[$0] + bias[$0 % columns] })
  }
}

/// Rows that lie apart are taken as those that follow each other; what is between them stays.
@Test(arguments: sets) func rowsMayLieApart(set: InstructionSet) {
  let device = Device(instructions: set)
  let (rows, columns, stride) = (5, 21, 33)
  let whole = Tensor(numbers(rows * stride, 23), [rows, stride])
  var compact = Tensor(zeros: [rows, columns])
  for row in 0..<rows {
    for column in 0..<columns { compact[row * columns + column] = whole[row * stride + column] }
  }
  /// The first columns of what a kernel leaves in a wide matrix, whose others must stay.
  func apart(_ kernel: (MutableMatrix) -> Void) -> [Float] {
    var wide = whole
    kernel(wide.mutableMatrix().columns(0..<columns))
    for row in 0..<rows {
      #expect(
        wide.row(row).scalars.dropFirst(columns) == whole.row(row).scalars.dropFirst(columns), "row \(row)")
    }
    return (0..<rows).flatMap { wide.row($0).scalars.prefix(columns) }
  }
  func together(_ kernel: (MutableMatrix) -> Void) -> [Float] {
    var tight = compact
    kernel(tight.mutableMatrix())
    return tight.scalars
  }
  func agree(_ name: String, _ kernel: (MutableMatrix) -> Void) {
    #expect(apart(kernel) == together(kernel), "\(name)")
  }
  let bias = numbers(columns, 24)
  let targets: [Int32] = [3, 0, 20, 7, 7]
  let dropout = Dropout(rate: 0.4, seed: 5)
  agree("bias") { addBias(bias, to: $0, on: device) }
  agree("ReLU") { addBiasReLUDropout(bias, to: $0, dropout, on: device) }
  agree("dropout") { dropout.apply(Matrix($0), into: $0, firstRow: 2, on: device) }
  agree("ReLU's gradient") { reluDropoutBackward(compact.matrix, gradient: $0, dropout, on: device) }
  agree("softmax") {
    var logProbabilities = [Float](repeating: 0, count: rows)
    softmaxCrossEntropy(
      $0, bias: bias, targets: targets, gradient: .init(scale: 0.5), into: &logProbabilities, on: device)
  }
  agree("scatter") { scatterAdd(compact.matrix, to: targets.map { $0 % 5 }, into: $0, on: device) }
  agree("gather") { gatherRows([4, 3, 3, 0, 1], of: compact.matrix, into: $0, on: device) }
  func sums(_ x: Matrix) -> [Float] {
    var sums = [Float](repeating: .nan, count: columns)
    columnSums(x, into: &sums, on: device)
    return sums
  }
  #expect(sums(whole.matrix.columns(0..<columns)) == sums(compact.matrix))
  func product(_ x: Matrix) -> [Float] {
    var y = [Float](repeating: .nan, count: rows)
    vectorProduct(x, bias, into: &y, on: device)
    return y
  }
  #expect(product(whole.matrix.columns(0..<columns)) == product(compact.matrix))
}

@Test(arguments: sets) func sumsAndUpdates(set: InstructionSet) {
  let device = Device(instructions: set)
  for columns in counts + [700] {
    let rows = 9
    let x = Tensor(numbers(rows * columns, 12), [rows, columns])
    var sums = [Float](repeating: .nan, count: columns)
    columnSums(x.matrix, into: &sums, on: device)
    #expect(sums == (0..<columns).map { j in (0..<rows).reduce(0) { $0 + x[$1 * columns + j] } })

    let indices: [Int32] = [2, 0, 2, 3, 0, 2, 0, 3, 2]
    var scattered = Tensor(repeating: .nan, [5, columns])
    scatterAdd(x.matrix, to: indices, into: scattered.mutableMatrix(), on: device)
    var expected = [Float](repeating: 0, count: 5 * columns)
    for row in 0..<rows {
      for j in 0..<columns { expected[Int(indices[row]) * columns + j] += x[row * columns + j] }
    }
    #expect(scattered.scalars == expected)
    var gathered = x
    gatherRows(indices, of: scattered.matrix, into: gathered.mutableMatrix(), on: device)
    #expect(gathered[columns] == expected[0] && gathered[9 * columns - 1] == expected[3 * columns - 1])

    let exact = x.scalars.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(sumOfSquares(x.pointer, count: x.count, on: device) / exact - 1) < 1e-6)
    var moved = x
    addScaled(count: x.count, 0.5, x.pointer, to: moved.mutablePointer(), on: device)
    #expect(relativeError(moved.scalars, x.scalars.map { $0 * 1.5 }) < 1e-6)
    updateMovingAverage(
      count: x.count, average: moved.mutablePointer(), of: x.pointer, decay: 0.9, on: device)
    #expect(relativeError(moved.scalars, x.scalars.map { $0 * 1.45 }) < 1e-6)
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
            .adam(), step, count: count, value: &value, gradient: gradient, moments: [m, v],
            on: Device(instructions: set))
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
    let device = device(threads)
    var gradient = Tensor(logits, [rows, columns])
    var logProbabilities = [Float](repeating: 0, count: rows)
    softmaxCrossEntropy(
      gradient.mutableMatrix(), bias: nil, targets: targets, gradient: .init(scale: 1),
      into: &logProbabilities, on: device)
    var sums = [Float](repeating: 0, count: columns)
    columnSums(gradient.matrix, into: &sums, on: device)
    let squares = sumOfSquares(gradient.pointer, count: gradient.count, on: device)
    return (gradient.scalars, logProbabilities, sums, squares)
  }
  let one = results(1)
  for threads in [2, 4] { #expect(results(threads) == one) }
}

/// Sums of products by column, sums of matrices, tanh of rows and its gradient; columns beside those asked for stay.
@Test(arguments: sets) func rowsAreAddedAndSquashed(set: InstructionSet) {
  let device = Device(instructions: set)
  let rows = 5
  for columns in counts + [300] {
    let width = columns + 3
    let (x, y) = (
      Tensor(numbers(rows * width, 13), [rows, width]), Tensor(numbers(rows * width, 14), [rows, width])
    )
    let (left, right) = (x.matrix.columns(1..<columns + 1), y.matrix.columns(2..<columns + 2))
    var products = [Float](repeating: .nan, count: columns)
    columnProducts(left, right, into: &products, on: device)
    let expected = (0..<columns).map { j in
      Float((0..<rows).reduce(0.0) { $0 + Double(left[$1][j]) * Double(right[$1][j]) })
    }
    #expect(relativeError(products, expected) < 1e-6)

    func check(_ change: (MutableMatrix) -> Void, _ value: (Int, Int) -> Double) {
      var z = y
      change(z.mutableMatrix().columns(2..<columns + 2))
      for row in 0..<rows {
        let own = z.row(row).scalars
        #expect(
          [own[0], own[1], own[width - 1]] == [y[row * width], y[row * width + 1], y[(row + 1) * width - 1]])
        #expect(
          absoluteError(Array(own[2..<columns + 2]), (0..<columns).map { Float(value(row, $0)) }) < 2e-6)
      }
    }
    check({ addRows(left, to: $0, on: device) }) { Double(left[$0][$1]) + Double(right[$0][$1]) }
    check({ tanhRows(left, into: $0, on: device) }) { tanh(Double(left[$0][$1])) }
    check({ tanhBackward(left, gradient: right, into: $0, on: device) }) {
      let slope = 1 - pow(tanh(Double(left[$0][$1])), 2)
      return Double(right[$0][$1]) * (1 + slope)
    }
    withExtendedLifetime((x, y)) {}
  }
}
