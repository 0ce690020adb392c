import Foundation
import Testing

@testable import Training

@Suite struct PlateauScheduleTests {
  private var configuration: TrainingConfiguration {
    var configuration = TrainingConfiguration()
    (configuration.decayPatience, configuration.stopPatience) = (2, 5)
    configuration.learningRateDecay = 0.5
    return configuration
  }

  @Test func stallsLowerTheRateAndEndTheRun() {
    var schedule = PlateauSchedule(learningRate: 8)
    let losses = [3, 2, 2, 2.5, 1.5, 1.6, 1.6, 1.6, 1.6, 1.4]
    let verdicts = losses.enumerated().map { schedule.observe($1, epoch: $0 + 1, configuration) }
    // An equal loss is no improvement.
    #expect(
      verdicts == [
        .improved, .improved, .stalled, .stalled, .improved, .stalled, .stalled, .stalled, .stalled,
        .improved,
      ])
    #expect(schedule.best == 1.4 && schedule.bestEpoch == 10)
    #expect(schedule.learningRate == 1)  // halved after epochs 4, 7 and 9
    let end = (0..<5).map { schedule.observe(9, epoch: 11 + $0, configuration) }
    #expect(end == [.stalled, .stalled, .stalled, .stalled, .finished])
    #expect(schedule.best == 1.4 && schedule.bestEpoch == 10)
  }

  @Test func aCosineFallsToZeroAndMindsNoStall() {
    var configuration = configuration
    configuration.schedule = .cosine
    var schedule = PlateauSchedule(learningRate: 8)
    func rates() -> [Double] {
      [0, 25, 50, 100, 101].map { schedule.learningRate(after: $0, of: 100, configuration) }
    }
    let expected = [8, 4 * (1 + 0.5.squareRoot()), 4, 0, 0]
    for _ in 0..<4 {
      #expect(zip(rates(), expected).allSatisfy { abs($0 - $1) < 1e-12 })
      _ = schedule.observe(3, epoch: 1, configuration)
    }
    #expect(schedule.observe(3, epoch: 5, configuration) == .stalled)
    #expect(schedule.observe(3, epoch: 6, configuration) == .finished)
    #expect(schedule.learningRate(after: 50, of: 100, self.configuration) == 8)
  }

  @Test func survivesJSONAtEveryPoint() throws {
    var schedule = PlateauSchedule(learningRate: 4e-4)
    for (epoch, loss) in [Double.infinity, 2.123456789012345, 3, 3].enumerated() {
      let copy = try JSONDecoder().decode(PlateauSchedule.self, from: JSONEncoder().encode(schedule))
      #expect(copy == schedule)
      _ = schedule.observe(loss, epoch: epoch + 1, configuration)
    }
  }

  @Test(arguments: ["sinceBest", "sinceDecay", "bestEpoch"]) func impossibleCountsAreRefused(key: String) {
    var fields = ["learningRate": 1, "bestEpoch": 1, "sinceBest": 0, "sinceDecay": 0]
    for value in [-1, Int.max] {
      fields[key] = value
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(PlateauSchedule.self, from: JSONEncoder().encode(fields))
      }
    }
  }
}
