import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

/// The examples of the article on sequences learn what they are shown, and tell it of sequences that they have not seen.
@Suite struct SequencesTests {
  /// Sequences of noise, in which the first pulse is in one of two channels and the second in the other [N, 12, 2].
  private static func pulses(
    _ count: Int, _ random: inout Random
  ) -> (padded: Tensor, lengths: [Int], classes: [Int32]) {
    var padded = Tensor(normal: [count, 12, 2], standardDeviation: 0.1, using: &random)
    let lengths = (0..<count).map { _ in Int.random(in: 3...12, using: &random) }
    let classes = (0..<count).map { _ in Int32.random(in: 0...1, using: &random) }
    for (number, length) in lengths.enumerated() {
      let second = Int.random(in: 1..<length, using: &random)
      let first = Int.random(in: 0..<second, using: &random)
      padded[(number * 12 + first) * 2 + Int(classes[number])] += 1
      padded[(number * 12 + second) * 2 + 1 - Int(classes[number])] += 1
    }
    return (padded, lengths, classes)
  }

  @Test func classifiesSequences() {
    var random = Random(seed: 1)
    var classifier = SequenceClassifier(inputs: 2, hidden: 16, classes: 2)
    var adam = Optimizer(.adam(), learningRate: 0.02)
    let unseen = Self.pulses(200, &random)
    func right() -> Int {
      zip(classifier.classes(of: unseen.padded, lengths: unseen.lengths), unseen.classes)
        .count { $0 == Int($1) }
    }
    let before = right()
    for _ in 0..<200 {
      let batch = Self.pulses(32, &random)
      _ = classifier.learn(batch.padded, lengths: batch.lengths, classes: batch.classes)
      adam.update(&classifier, clipNorm: 5, on: .cpu)
    }
    #expect(before < 150 && right() >= 190, "\(before), then \(right())")
  }

  /// Bits, and where one follows a one [N, 10, 1].
  private static func bits(
    _ count: Int, _ random: inout Random
  ) -> (padded: Tensor, lengths: [Int], labels: [[Int32]]) {
    let padded = Tensor((0..<count * 10).map { _ in random.next() >> 63 == 0 ? 0 : 1 }, [count, 10, 1])
    let lengths = (0..<count).map { _ in Int.random(in: 2...10, using: &random) }
    let labels = lengths.enumerated().map { number, length in
      (0..<length).map { t in
        let at = number * 10 + t
        return Int32(t > 0 && padded[at - 1] == 1 && padded[at] == 1 ? 1 : 0)
      }
    }
    return (padded, lengths, labels)
  }

  @Test func labelsEveryStep() {
    var random = Random(seed: 2)
    var labeller = SequenceLabeller(inputs: 1, hidden: 12, labels: 2)
    var adam = Optimizer(.adam(), learningRate: 0.02)
    let unseen = Self.bits(100, &random)
    let answers = unseen.labels.map { $0.map { Int($0) } }
    #expect(labeller.labels(of: unseen.padded, lengths: unseen.lengths) != answers)
    for _ in 0..<200 {
      let batch = Self.bits(32, &random)
      _ = labeller.learn(batch.padded, lengths: batch.lengths, labels: batch.labels)
      adam.update(&labeller, clipNorm: 5, on: .cpu)
    }
    #expect(labeller.labels(of: unseen.padded, lengths: unseen.lengths) == answers)
  }

  private static func strings(_ count: Int, _ random: inout Random) -> [[Int32]] {
    (0..<count).map { _ in
      (0..<Int.random(in: 1...5, using: &random)).map { _ in Int32.random(in: 2...7, using: &random) }
    }
  }

  @Test func reversesStrings() {
    var random = Random(seed: 3)
    var reverser = StringReverser(vocabularySize: 8, hidden: 64)
    var adam = Optimizer(.adam(), learningRate: 0.01)
    let unseen = Self.strings(100, &random)
    for _ in 0..<500 {
      _ = reverser.learn(Self.strings(32, &random))
      adam.update(&reverser, clipNorm: 5, on: .cpu)
    }
    let right = unseen.count { reverser.answer($0) == Array($0.reversed()) }
    #expect(right >= 90, "\(right)")
  }

  /// Of all three: what one step learns from is the slope of its loss.
  @Test func gradientsAreSlopes() throws {
    var random = Random(seed: 4)
    let (pulses, bits, strings) = (
      Self.pulses(5, &random), Self.bits(5, &random), Self.strings(5, &random)
    )
    func check<M: Module>(_ module: M, _ loss: (inout M) -> Double) throws {
      var learned = module
      _ = loss(&learned)
      for (index, parameter) in learned.parameters.enumerated() {
        let error = gradientDisagreement(
          try #require(parameter.gradient), at: parameter.value, step: 0.08
        ) { value in
          var moved = module
          var at = 0
          moved.visitParameters {
            if at == index { $0.value = value }
            at += 1
          }
          return loss(&moved)
        }
        // Gradients of a mean are small beside the rounding of its terms; a path that was forgotten is an error of order 1.
        #expect(error < 2e-2, "\(parameter.path)")
      }
    }
    try check(SequenceClassifier(inputs: 2, hidden: 6, classes: 2)) {
      $0.learn(pulses.padded, lengths: pulses.lengths, classes: pulses.classes)
    }
    try check(SequenceLabeller(inputs: 1, hidden: 6, labels: 2)) {
      $0.learn(bits.padded, lengths: bits.lengths, labels: bits.labels)
    }
    try check(StringReverser(vocabularySize: 8, size: 5, hidden: 6)) { $0.learn(strings) }
  }
}
