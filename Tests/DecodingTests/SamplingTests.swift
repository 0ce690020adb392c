import Foundation
import Kernels
import Language
import TestSupport
import Tensors
import Testing

@testable import Decoding

/// The probability of every caption of the options, from whole forward passes: the definition, word by word.
private func distribution(
  _ decoder: any SequenceDecoder, v: Tensor, words: Int, _ options: SamplingOptions
) -> [[Int32]: Double] {
  var result: [[Int32]: Double] = [:]
  func follow(_ caption: [Int32], _ probability: Double) {
    func go(_ word: Int32, _ p: Double) {
      if word == Vocabulary.end { result[caption] = p } else { follow(caption + [word], p) }
    }
    if caption.count == options.maximumLength { return go(Vocabulary.end, probability) }
    if caption.count < options.constraints.prefix.count {
      return go(options.constraints.prefix[caption.count], probability)
    }
    var choices = (4..<Int32(words)).filter { !options.constraints.forbidden.contains($0) }.map {
      ($0, Double(score(decoder, caption + [$0], v).logProbs[caption.count]))
    }
    if caption.count >= options.minimumLength {
      choices.append((Vocabulary.end, Double(score(decoder, caption, v).logProbs.last!)))
    }
    choices = choices.map { ($0.0, exp($0.1 / options.choice.temperature)) }.sorted { $0.1 > $1.1 }
    if let topK = options.choice.topK { choices = Array(choices.prefix(topK)) }
    let total = choices.reduce(0) { $0 + $1.1 }
    var (sum, kept): (Double, [(Int32, Double)]) = (0, [])
    for choice in choices where sum < options.choice.topP * total {
      sum += choice.1
      kept.append(choice)
    }
    for (word, weight) in kept { go(word, probability * weight / sum) }
  }
  follow([], 1)
  return result
}

/// Pearson's statistic of counts against expectations; infinite when something impossible was counted.
private func chiSquare(_ counts: [[Int32]: Int], _ expected: [[Int32]: Double], of n: Int) -> Double {
  if counts.keys.contains(where: { expected[$0] == nil }) { return .infinity }
  return expected.reduce(0) { sum, outcome in
    let (found, mean) = (Double(counts[outcome.key] ?? 0), outcome.value * Double(n))
    return sum + (found - mean) * (found - mean) / mean
  }
}

private let cases: [SamplingOptions] = [
  .init(maximumLength: 2), .init(ClassSampling(temperature: 0.5), maximumLength: 2),
  .init(ClassSampling(temperature: 3), maximumLength: 2), .init(ClassSampling(topK: 2), maximumLength: 2),
  .init(ClassSampling(topP: 0.7), maximumLength: 2),
  .init(ClassSampling(temperature: 2, topK: 3, topP: 0.8), maximumLength: 2),
  .init(maximumLength: 2, minimumLength: 1),
  .init(maximumLength: 3, constraints: .init(prefix: [6], forbidden: [5])),
]

@Suite struct SamplingTests {
  /// Captions come as often as they should: χ² beyond the 0.01 % quantile is failure, and the wrong distribution is
  /// told apart.
  @Test(arguments: cases) func drawsFollowTheProbabilities(options: SamplingOptions) {
    let (decoder, v) = tinyDecoder(words: 7)
    let n = 4_000
    var options = options
    (options.captions, options.seed) = (n, 11)
    for image in 0..<2 {
      let row = v.row(image).reshaped([1, 5])
      let found = draw(decoder, row, options, streams: [UInt64(image)])[0]
      let counts = Dictionary(found.map { (Array($0.words.dropLast()), 1) }, uniquingKeysWith: +)
      let expected = distribution(decoder, v: row, words: 7, options)
      #expect(abs(expected.values.reduce(0, +) - 1) < 1e-4 && found.count == n)
      // Wilson & Hilferty's approximation of the quantile.
      let freedom = Double(max(1, expected.count - 1))
      let quantile = freedom * pow(1 - 2 / (9 * freedom) + 3.72 * (2 / (9 * freedom)).squareRoot(), 3)
      #expect(chiSquare(counts, expected, of: n) < quantile, "\(options)")
      var wrong = options
      wrong.choice.temperature *= 2
      let other = distribution(decoder, v: row, words: 7, wrong)
      if expected.count > 1 { #expect(chiSquare(counts, other, of: n) > quantile, "\(options)") }
    }
  }

  /// Every cell's draws have the log-probabilities of `score`.
  @Test(arguments: CellName.allCases) func drawsScoreAsGivenCaptionsDo(cell: CellName) {
    let (decoder, v) = tinyDecoder(words: 14, layers: 2, cell: cell)
    let options = SamplingOptions(captions: 3, seed: 2, maximumLength: 6)
    for (image, found) in draw(decoder, v, options, streams: [0, 1, 2, 3]).enumerated() {
      for caption in found {
        let words = Array(caption.words.dropLast())
        expectSame([caption], [score(decoder, words, v.row(image).reshaped([1, 5]))])
      }
    }
  }

  /// Of one word there is nothing to draw.
  @Test(arguments: [
    SamplingOptions(ClassSampling(topK: 1)), .init(ClassSampling(topP: 1e-9)),
    .init(ClassSampling(temperature: 100, topK: 1)),
  ])
  func theLikeliestWordIsGreedy(options: SamplingOptions) {
    let (decoder, v) = tinyDecoder(words: 40)
    let greedy = search(decoder, v, .init(beamWidth: 1))
    for seed: UInt64 in 0..<3 {
      var options = options
      options.seed = seed
      let found = draw(decoder, v, options, streams: [0, 1, 2, 3])
      #expect(found.count == 4 && greedy.count == 4)
      for (a, b) in zip(found, greedy) { expectSame(a, b) }
    }
  }

  /// The same seed and stream give the same captions, whatever the threads and the images beside.
  @Test func seedsAndStreamsDecide() {
    let (decoder, v) = tinyDecoder(words: 40)
    var options = SamplingOptions(captions: 6, ClassSampling(temperature: 1.5), seed: 4, maximumLength: 9)
    let streams: [UInt64] = [7, 8, 9, .max]
    let together = draw(decoder, v, options, streams: streams, on: Device(pool: ThreadPool(threads: 1)))
    #expect(
      draw(decoder, v, options, streams: streams, on: Device(pool: ThreadPool(threads: 4))) == together)
    for image in 0..<4 {
      let row = v.row(image).reshaped([1, 5])
      expectSame(
        draw(decoder, row, options, streams: [streams[image]])[0], together[image])
      #expect(Set(together[image].map(\.words)).count > 1)
      #expect(draw(decoder, row, options, streams: [1])[0] != together[image])
    }
    options.seed = 5
    #expect(draw(decoder, v, options, streams: streams) != together)
  }

  /// What is drawn keeps the rules, and has the log-probabilities of `score`, whatever the temperature.
  @Test func captionsKeepTheRules() {
    let (decoder, v) = tinyDecoder(words: 14)
    let options = SamplingOptions(
      captions: 20, ClassSampling(temperature: 2, topK: 9, topP: 0.95), seed: 1, maximumLength: 9,
      minimumLength: 4,
      constraints: .init(prefix: [9, 5], forced: [6], forbidden: [4, 10], noRepeatNGram: 2))
    #expect(options.constraints.forced.isEmpty)
    let all = draw(decoder, v, options, streams: [0, 1, 2, 3])
    #expect(all.count == 4)
    for (image, found) in all.enumerated() {
      #expect(found.count == 20 && found.map(\.logProb) == found.map(\.logProb).sorted(by: >))
      for caption in found {
        let words = Array(caption.words.dropLast())
        #expect((4...9).contains(words.count) && options.constraints.allow(words))
        #expect(words.allSatisfy { $0 > Vocabulary.unknown } && caption.words.last == Vocabulary.end)
        expectSame([caption], [score(decoder, words, v.row(image).reshaped([1, 5]))])
      }
    }
  }

  @Test func neverReturnsNothing() {
    let (small, v) = tinyDecoder(words: 4)
    let streams: [UInt64] = [0, 1, 2, 3]
    #expect(
      draw(small, v, streams: streams).map { $0.map(\.words) }
        == Array(repeating: [[Vocabulary.end]], count: 4))
    var (broken, _) = tinyDecoder(words: 7)
    broken = broken.withOutputBias(Tensor(repeating: .nan, [7]))
    for options in cases { #expect(draw(broken, v, options, streams: streams).count == 4) }
    #expect(draw(small, Tensor(zeros: [0, 5]), streams: []).isEmpty)
    let options = SamplingOptions(
      captions: 0, ClassSampling(temperature: -1, topK: 0, topP: 2), maximumLength: 2, minimumLength: 3)
    #expect(
      options
        == .init(
          captions: 1, ClassSampling(temperature: 0.001, topK: 1, topP: 1), maximumLength: 2, minimumLength: 2
        ))
  }
}
