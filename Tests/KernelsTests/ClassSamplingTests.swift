import Foundation
import Tensors
import Testing

@testable import Kernels

@Suite struct ClassSamplingTests {
  /// Numbers evenly spread over 0..<1 choose each class as often as its probability says.
  @Test(arguments: InstructionSet.available) func classesGetTheirShare(instructions: InstructionSet) {
    let logits: [Float] = [1, 3, -2, 3, 0.5, 2, -30, 1.5, 0, 2.5, -1, 0.25, 4, 1, 1, 1, 2]
    let bias: [Float] = logits.indices.map { Float($0 % 3) * 0.4 }
    let (n, columns) = (4000, logits.count)
    let uniforms = (0..<n).map { (Double($0) + 0.5) / Double(n) }
    for (sampling, excluded) in [
      (ClassSampling(), []), (ClassSampling(temperature: 0.4), [12]),
      (ClassSampling(temperature: 5), [0, 3]),
      (ClassSampling(topK: 3), []), (ClassSampling(topK: 99), [12]), (ClassSampling(topP: 0.6), []),
      (ClassSampling(temperature: 2, topK: 6, topP: 0.7), [1]), (ClassSampling(topP: 0), []),
    ] as [(ClassSampling, [Int32])] {
      let sums = zip(logits, bias).map { Double($0 + $1) }
      let normalizer = log(sums.reduce(0) { $0 + exp($1) })
      var order = sums.indices.filter { !excluded.contains(Int32($0)) }
        .sorted { (-sums[$0], $0) < (-sums[$1], $1) }
      order = Array(order.prefix(sampling.topK ?? columns))
      let total = order.reduce(0) { $0 + exp(sums[$1] / sampling.temperature) }
      var (kept, sum): ([Int: Double], Double) = ([:], 0)
      for id in order where kept.isEmpty || sum < sampling.topP * total {
        kept[id] = exp(sums[id] / sampling.temperature)
        sum += kept[id]!
      }

      var memory = Tensor((0..<n).flatMap { _ in logits }, [n, columns])
      let found = sampledClasses(
        sampling, of: memory.mutableMatrix(), bias: bias,
        excludingByRow: Array(repeating: excluded, count: n), uniforms: uniforms,
        on: Device(pool: ThreadPool(threads: 2), instructions: instructions))
      let counts = Dictionary(found.ids.map { (Int($0), 1) }, uniquingKeysWith: +)
      for id in 0..<columns {
        #expect(abs(Double(counts[id] ?? 0) - Double(n) * (kept[id] ?? 0) / sum) <= 1.01, "\(id) \(sampling)")
      }
      #expect(found.ids.count == n && found.logProbabilities.count == n)
      for (id, logProb) in zip(found.ids, found.logProbabilities) {
        #expect(abs(Double(logProb) - (sums[Int(id)] - normalizer)) < 1e-5)
      }
    }
  }

  @Test func rowsWithoutAClassHaveNone() {
    var logits = Tensor([1, 2, 3, .nan, .nan, .nan], [2, 3])
    let found = sampledClasses(
      ClassSampling(), of: logits.mutableMatrix(), bias: nil, excludingByRow: [[0, 1, 2], []],
      uniforms: [0.5, 0.5], on: .cpu)
    #expect(found.ids == [-1, -1])
    let none = sampledClasses(
      ClassSampling(), of: logits.mutableMatrix().rows(0..<0), bias: nil, uniforms: [], on: .cpu)
    #expect(none.ids.isEmpty)
  }
}
