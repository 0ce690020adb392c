import Foundation
import Language
import Tensors
import TestSupport
import Support
import Testing

@testable import Evaluation

@Suite struct CalibrationTests {
  /// Newton's method against plain gradient descent on the same loss, and the slopes at its end against zero.
  @Test func theRegressionIsTheLeastLoss() {
    var random = Random(seed: 3)
    let x = (0..<200).map { _ in [Double(random.normal()) - 2, Double(random.normal()) * 3 + 9] }
    let y = x.map { Double(random.uniform()) < 1 / (1 + exp(-(1 + 2 * ($0[0] + 2) - 0.2 * ($0[1] - 9)))) }
    let fitted = LogisticRegression(x, y)
    let positives = Double(y.count { $0 })
    let (high, low) = ((positives + 1) / (positives + 2), 1 / (200 - positives + 2))
    var slopes = SIMD3<Double>()
    for (features, outcome) in zip(x, y) {
      let difference = fitted.probability(features) - (outcome ? high : low)
      slopes += difference * SIMD3(1, features[0], features[1])
    }
    #expect(abs(slopes[0]) < 1e-3 && abs(slopes[1]) < 1e-3 && abs(slopes[2]) < 1e-2)
    #expect(abs(fitted.weights[0] - 2) < 0.8 && abs(fitted.weights[1] + 0.2) < 0.2)
  }

  /// What tells all, what never varies, and nothing at all.
  @Test func degenerateSamplesStayFinite() {
    let x = (0..<40).map { [Double($0), 5] }
    let fitted = LogisticRegression(x, x.map { $0[0] >= 20 })
    #expect(fitted.weights[1] == 0 && fitted.weights[0].isFinite)
    #expect(fitted.probability(x[0]) < 0.1 && fitted.probability(x[39]) > 0.9)
    #expect(LogisticRegression([], []).probability([1, 2]) == 0.5)
    let constant = LogisticRegression([[1, 1], [1, 1], [1, 1]], [true, true, false])
    #expect(abs(constant.probability([1, 1]) - (0.75 + 0.75 + 1.0 / 3) / 3) < 1e-6)
  }

  @Test func reliabilityCountsBins() {
    let reliability = Reliability([0, 0.1, 0.15, 0.95, 1], [false, true, false, true, true])
    #expect(reliability.bins.map(\.count) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2])
    #expect(reliability.bins[0].predicted == 0.05 && reliability.bins[0].observed == 0.5)
    let expected = (2 * 0.45 + 0.15 + 2 * 0.025) / 5
    #expect(abs(reliability.expectedCalibrationError - expected) < 1e-12)
    #expect(abs(reliability.brierScore - (0 + 0.81 + 0.0225 + 0.0025 + 0) / 5) < 1e-12)
    #expect(reliability.baseRate == 0.6 && abs(reliability.auc - 5.0 / 6) < 1e-12)
    #expect(Reliability([0.5, 0.5], [true, false]).auc == 0.5)
    #expect(Reliability([0.5], [true]).auc == 0.5)
  }

  private func captions(_ count: Int) -> (captions: [Caption], scores: [Double]) {
    var random = Random(seed: 8)
    let captions = (0..<count).map { _ in
      let nats = -0.2 - 2 * random.uniform()
      let apart = 0.2 * random.uniform()
      return Caption(
        words: [("a", nats + apart), ("dog", nats), ("</s>", nats - apart)].map {
          Caption.ScoredWord(word: $0, logProb: $1)
        })
    }
    let scores = captions.map {
      Double(random.uniform()) < 1 / (1 + exp(-3 * (Double($0.normalizedLogProb) + 1))) ? 0.9 : 0.1
    }
    return (captions, scores)
  }

  @Test func confidenceAgreesWithWhatComesTrue() throws {
    let (captions, scores) = captions(2000)
    let calibration = try #require(Calibration(captions, scores: scores, metric: "CIDEr", threshold: 0.5))
    let confidence = calibration.confidence
    #expect(confidence.images == 2000 && confidence.good == scores.count { $0 > 0.5 })
    #expect(abs(confidence.perNat + confidence.perLowestNat - 3) < 0.4 && confidence.perWord == 0)
    #expect(!confidence.needsSupport)
    #expect(calibration.reliability.expectedCalibrationError < 0.05)
    #expect(confidence.calibrationError == calibration.reliability.expectedCalibrationError)
    #expect(calibration.reliability.auc > 0.75)
    // Nobody is judged by a fit that has seen them.
    let error = absoluteError(captions.map { confidence($0) }, calibration.heldOut)
    #expect(error > 1e-6 && error < 0.05)
  }

  /// The threshold against counting: below it no more than a quarter is good, and with any higher one more are.
  @Test func unsureAreAtMostAQuarterGood() throws {
    let (captions, scores) = captions(2000)
    let calibration = try #require(Calibration(captions, scores: scores, metric: "CIDEr", threshold: 0.5))
    let threshold = try #require(calibration.confidence.unsureBelow)
    func share(below limit: Double) -> Double {
      let told = zip(calibration.heldOut, scores).filter { $0.0 < limit }
      return Double(told.count { $0.1 >= 0.5 }) / Double(told.count)
    }
    #expect(share(below: threshold) <= 0.25 && share(below: threshold) > 0.2)
    #expect(calibration.heldOut.filter { $0 > threshold }.allSatisfy { share(below: $0) > 0.25 })
    #expect(captions.contains { calibration.confidence.isUnsure($0) })
    // Ties stay together; too few are none; a model that is hardly ever wrong has no threshold.
    let tied = [Double](repeating: 0.1, count: 12) + [Double](repeating: 0.9, count: 12)
    #expect(Calibration.unsureBelow(tied, tied.map { $0 > 0.5 }) == 0.9)
    #expect(Calibration.unsureBelow(Array(tied.dropFirst(3)), tied.dropFirst(3).map { $0 > 0.5 }) == nil)
    #expect(Calibration.unsureBelow(tied, tied.map { _ in true }) == nil)
    #expect(Calibration.unsureBelow([], []) == nil)
  }

  /// Captions that say the same of every photo are as likely as others, but the photos don't speak for them.
  @Test func whatTheImageAddsTellsWhereLogProbabilitiesDoNot() throws {
    var random = Random(seed: 9)
    var captions = captions(2000).captions
    let good = captions.map { _ in random.uniform() < 0.5 }
    for place in captions.indices {
      captions[place].support = Double((good[place] ? 0.8 : 0.2) + 0.3 * random.normal())
    }
    let scores = good.map { $0 ? 1.0 : 0 }
    let told = try #require(Calibration(captions, scores: scores, metric: "CIDEr", threshold: 0.5))
    #expect(told.confidence.needsSupport && told.confidence.perSupportNat > 3)
    #expect(told.reliability.auc > 0.85 && told.reliability.expectedCalibrationError < 0.05)
    // What is not known of all counts for none.
    captions[7].support = nil
    let untold = try #require(Calibration(captions, scores: scores, metric: "CIDEr", threshold: 0.5))
    #expect(!untold.confidence.needsSupport && untold.reliability.auc < 0.6)
  }

  @Test func tooFewAreRefused() {
    let (captions, _) = captions(100)
    let scores = captions.indices.map { $0 < 9 ? 1.0 : 0 }
    #expect(Calibration(captions, scores: scores, metric: "CIDEr", threshold: 0.5) == nil)
    #expect(Calibration(captions, scores: scores.map { 1 - $0 }, metric: "CIDEr", threshold: 0.5) == nil)
    #expect(Calibration([], scores: [], metric: "CIDEr", threshold: 0.5) == nil)
  }
}
