import CaptionMetrics
import Support
import Testing

private func samples(_ count: Int, seed: UInt64 = 3) -> [Sample] {
  var random = Random(seed: seed)
  func caption() -> [String] {
    (0..<4 + Int(random.uniform() * 6)).map { _ in "w\(Int(random.uniform() * 12))" }
  }
  return (0..<count).map { _ in Sample(candidate: caption(), references: [caption(), caption(), caption()]) }
}

/// For a mean the interval is ± 1.96 standard errors, nearly.
@Test func intervalOfAMean() {
  var random = Random(seed: 7)
  let values = (0..<2000).map { _ in Double(random.normal()) * 3 + 10 }
  let mean = values.reduce(0, +) / 2000
  let intervals = Bootstrap(resamples: 2000).intervals(values, width: 1) { [$0[0] / 2000] }
  let error = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +).squareRoot() / 2000
  #expect(intervals.count == 1)
  #expect(abs(intervals[0].low - (mean - 1.96 * error)) < 0.15 * error)
  #expect(abs(intervals[0].high - (mean + 1.96 * error)) < 0.15 * error)
}

@Test func intervalsAreSeeded() throws {
  let scores = CaptionStatistics(samples(30))
  let intervals = scores.intervals(Bootstrap(resamples: 50))
  #expect(intervals.count == 6 && scores.corpus.count == 6)
  #expect(intervals == scores.intervals(Bootstrap(resamples: 50, seed: 1)))
  #expect(intervals != scores.intervals(Bootstrap(resamples: 50, seed: 2)))
  try #require(intervals.count == 6)
  for (interval, score) in zip(intervals, scores.corpus) {
    #expect(interval.low < score && score < interval.high)
  }
  let narrow = scores.intervals(Bootstrap(resamples: 50, level: 0.5))
  #expect(narrow.count == 6)
  for (inner, outer) in zip(narrow, intervals) { #expect(outer.low < inner.low && inner.high < outer.high) }
}

/// Of one resample both ends are the scores of the drawn images, recomputed here from their captions. (CIDEr keeps its
/// document frequencies.)
@Test func aResampleIsTheScoreOfTheDrawnImages() {
  let all = samples(40)
  let scores = CaptionStatistics(all)
  var random = Random(seed: 5, stream: 0)
  let drawn = all.map { _ in Int(random.next().multipliedFullWidth(by: 40).high) }
  #expect(Set(drawn).count < 40)
  let again = CaptionStatistics(drawn.map { all[$0] })
  let intervals = scores.intervals(Bootstrap(resamples: 1, seed: 5))
  for place in 0..<5 {
    #expect(abs(intervals[place].low - again.corpus[place]) < 1e-12)
    #expect(intervals[place].low == intervals[place].high)
  }
  let cider = drawn.map { scores.perSample(.cider)[$0] }.reduce(0, +) / 40
  #expect(abs(intervals[5].low - cider) < 1e-12)
}

@Test func fewImages() {
  #expect(CaptionStatistics([]).intervals(Bootstrap()).isEmpty)
  let one = CaptionStatistics(samples(1))
  #expect(one.intervals(Bootstrap(resamples: 3)).count == 6)
  for (interval, score) in zip(one.intervals(Bootstrap(resamples: 3)), one.corpus) {
    #expect(abs(interval.low - score) < 1e-12 && abs(interval.high - score) < 1e-12)
  }
}
