import Foundation
import TestSupport
import Testing

@testable import Training

private let curves: [(String, LearningRateSchedule.Curve)] = [
  ("constant", .constant), ("step", .step(factor: 0.5, every: 7)),
  ("exponential", .exponential(factor: 0.9, every: 1)), ("cosine", .cosine(steps: 40)),
]

/// torch.optim.lr_scheduler's rates, made by tools/golden/schedules.py.
private func golden(_ name: String) throws -> [Double] {
  let data = try Data(contentsOf: URL(fileURLWithPath: fixture("schedules.json")))
  let rates = try #require(try JSONDecoder().decode([String: [Double]].self, from: data)[name])
  try #require(rates.count >= 15)
  return rates
}

@Suite struct LearningRateScheduleTests {
  @Test(arguments: curves.indices, [0, 6]) func curvesAgreeWithPyTorch(index: Int, warmUp: Int) throws {
    let (name, curve) = curves[index]
    let schedule = LearningRateSchedule(learningRate: 0.8, curve, warmUp: warmUp, stopPatience: 1)
    for (step, expected) in try golden("\(name).\(warmUp)").enumerated() {
      #expect(abs(schedule.learningRate(after: step) - expected) < 1e-12, "\(name), step \(step)")
    }
  }

  @Test func plateausAgreeWithPyTorch() throws {
    var schedule = LearningRateSchedule(
      learningRate: 0.8, .plateau(factor: 0.5, patience: 2), stopPatience: 100)
    let (losses, rates) = (try golden("losses"), try golden("plateau"))
    try #require(losses.count == rates.count)
    for (epoch, (loss, expected)) in zip(losses, rates).enumerated() {
      _ = schedule.observe(loss, epoch: epoch + 1)
      #expect(abs(schedule.learningRate(after: 1000 * epoch) - expected) < 1e-12, "epoch \(epoch + 1)")
    }
  }

  @Test func curvesFollowTheirFormulas() {
    func rate(_ curve: LearningRateSchedule.Curve, _ done: Int, warmUp: Int = 0) -> Double {
      LearningRateSchedule(learningRate: 8, curve, warmUp: warmUp, stopPatience: 1)
        .learningRate(after: done)
    }
    #expect([0, 9, 10, 29, 30].map { rate(.step(factor: 0.5, every: 10), $0) } == [8, 8, 4, 2, 1])
    #expect(abs(rate(.exponential(factor: 0.25, every: 10), 5) - 4) < 1e-12)
    #expect(rate(.exponential(factor: 0.25, every: 10), 10) == 2)
    let cosine = [0, 25, 50, 100, 101].map { rate(.cosine(steps: 100), $0) }
    #expect(zip(cosine, [8, 4 * (1 + 0.5.squareRoot()), 4, 0, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
    for (_, curve) in curves + [("plateau", .plateau(factor: 0.5, patience: 1))] {
      #expect([0, 1, 2, 3, 4].map { rate(curve, $0, warmUp: 4) } == [2, 4, 6, 8, 8])
    }
    // A warm-up as long as the run, or longer.
    #expect([2, 3, 4, 5].map { rate(.cosine(steps: 4), $0, warmUp: 4) } == [6, 8, 8, 0])
    #expect(rate(.cosine(steps: 4), 7, warmUp: 16) == 4)
  }

  @Test func stallsLowerTheRateAndEndTheRun() {
    var schedule = LearningRateSchedule(learningRate: 8, .plateau(factor: 0.5, patience: 2), stopPatience: 5)
    let losses = [3, 2, 2, 2.5, 1.5, 1.6, 1.6, 1.6, 1.6, 1.4]
    let verdicts = losses.enumerated().map { schedule.observe($1, epoch: $0 + 1) }
    // An equal loss is no improvement.
    #expect(
      verdicts == [
        .improved, .improved, .stalled, .stalled, .improved, .stalled, .stalled, .stalled, .stalled,
        .improved,
      ])
    #expect(schedule.best == 1.4 && schedule.bestEpoch == 10)
    #expect(schedule.learningRate(after: 0) == 1)  // halved after epochs 4, 7 and 9
    let end = (0..<5).map { schedule.observe(9, epoch: 11 + $0) }
    #expect(end == [.stalled, .stalled, .stalled, .stalled, .finished])
    #expect(schedule.best == 1.4 && schedule.bestEpoch == 10)
  }

  @Test(arguments: curves.indices) func otherCurvesMindNoStall(index: Int) {
    var schedule = LearningRateSchedule(learningRate: 8, curves[index].1, stopPatience: 3)
    let before = (0..<40).map(schedule.learningRate(after:))
    #expect((1...3).map { schedule.observe(3, epoch: $0) } == [.improved, .stalled, .stalled])
    #expect((0..<40).map(schedule.learningRate(after:)) == before)
    #expect(schedule.observe(.nan, epoch: 4) == .finished)
  }

  @Test(arguments: curves.map(\.1) + [.plateau(factor: 0.3, patience: 1)])
  func survivesJSONAtEveryPoint(curve: LearningRateSchedule.Curve) throws {
    var schedule = LearningRateSchedule(learningRate: 4e-4, curve, warmUp: 3, stopPatience: 9)
    for (epoch, loss) in [Double.infinity, 2.123456789012345, 3, 3].enumerated() {
      let copy = try JSONDecoder().decode(LearningRateSchedule.self, from: JSONEncoder().encode(schedule))
      #expect(copy == schedule && copy.isPossible)
      _ = schedule.observe(loss, epoch: epoch + 1)
    }
  }

  @Test(arguments: ["warmUp", "bestEpoch", "sinceBest", "sinceDecay", "every"])
  func impossibleCountsAreSeen(key: String) throws {
    let schedule = LearningRateSchedule(learningRate: 1, .step(factor: 0.5, every: 3), stopPatience: 9)
    let text = String(decoding: try JSONEncoder().encode(schedule), as: UTF8.self)
    for value in [-1, Int.max / 2] where key != "every" || value < 0 {
      let changed = text.replacingOccurrences(
        of: "\"\(key)\":[0-9]+", with: "\"\(key)\":\(value)", options: .regularExpression)
      try #require(changed != text)
      let decoded = try JSONDecoder().decode(LearningRateSchedule.self, from: Data(changed.utf8))
      #expect(!decoded.isPossible, "\(changed)")
    }
  }

  /// Resumed: what validation found counts on; another rate begins without falls and with all its patience.
  @Test func anotherScheduleGoesOnFromWhereOneStands() {
    var begun = LearningRateSchedule(learningRate: 0.1, .plateau(factor: 0.5, patience: 1), stopPatience: 2)
    #expect(begun.observe(3, epoch: 1) == .improved)
    #expect(begun.observe(4, epoch: 2) == .stalled && begun.learningRate(after: 9) == 0.05)
    #expect(begun.observe(4, epoch: 3) == .finished && begun.isExhausted)
    let same = LearningRateSchedule(learningRate: 0.1, .plateau(factor: 0.5, patience: 1), stopPatience: 2)
    #expect(same.goingOn(from: begun) == begun)
    let patient = LearningRateSchedule(learningRate: 0.1, .plateau(factor: 0.5, patience: 1), stopPatience: 3)
    let more = patient.goingOn(from: begun)
    #expect(!more.isExhausted && more.best == 3 && more.learningRate(after: 9) == 0.05)
    let lower = LearningRateSchedule(learningRate: 0.01, .plateau(factor: 0.5, patience: 1), stopPatience: 2)
    let other = lower.goingOn(from: begun)
    #expect(!other.isExhausted && other.best == 3 && other.bestEpoch == 1)
    #expect(other.learningRate(after: 9) == 0.01)
  }
}
