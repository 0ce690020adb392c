import Foundation
import Testing
import Training

@Suite struct ScheduledSamplingTests {
  private func curve(_ curve: ScheduledSampling.Curve, k: Double) -> ScheduledSampling {
    var schedule = ScheduledSampling()
    (schedule.curve, schedule.k) = (curve, k)
    return schedule
  }

  @Test func curvesAreThoseOfThePaper() {
    var linear = curve(.linear, k: 1)
    (linear.c, linear.floor) = (0.001, 0.25)
    #expect([0, 100, 500, 750, 5000].map(linear.epsilon) == [1, 0.9, 0.5, 0.25, 0.25])
    let exponential = curve(.exponential, k: 0.5)
    #expect([0, 1, 2, 10].map(exponential.epsilon) == [1, 0.5, 0.25, 1.0 / 1024])
    let sigmoid = curve(.inverseSigmoid, k: 100)
    #expect(abs(sigmoid.epsilon(step: 0) - 100.0 / 101) < 1e-12)
    // Half where e^(i/k) = k.
    #expect(abs(sigmoid.epsilon(step: Int((100 * log(100.0)).rounded())) - 0.5) < 0.01)
    #expect(sigmoid.epsilon(step: 1_000_000) == 0)
    #expect(ScheduledSampling().epsilon(step: 1_000_000) == 1)
  }

  @Test(arguments: [ScheduledSampling.Curve.linear, .exponential, .inverseSigmoid])
  func neverRises(way: ScheduledSampling.Curve) {
    let schedule = curve(way, k: way == .exponential ? 0.999 : way == .linear ? 1 : 50)
    let values = (0..<3000).map(schedule.epsilon)
    #expect(values.allSatisfy { (0...1).contains($0) })
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 } && values[0] > values[2999])
  }
}
