import Datasets
import Foundation
import TestSupport
import Testing

@testable import Training

/// The tiny run with its first four images in one data set, the others in a second.
private func run(in folder: String, weights: [Double]) throws -> TinyRun {
  let run = try TinyRun(in: folder)
  run.train = EncodedSplit(
    captions: run.train.captions, rows: run.train.rows, references: run.train.references,
    features: run.caches[0], views: [run.caches[1]], sources: [0, 0, 0, 0, 1, 1])
  run.configuration.captions = ["one.json", "two.json"]
  run.configuration.weights = weights
  return run
}

@Suite struct WeightedSetsTests {
  @Test(arguments: TrainingConfiguration.BatchUnit.allCases)
  func batchesAreDrawnByWeight(unit: TrainingConfiguration.BatchUnit) throws {
    try withTemporaryFolder { folder in
      let run = try run(in: folder, weights: [1, 2])
      run.configuration.batchUnit = unit
      let batches = run.configuration.batches(of: run.train, epoch: 1)
      let drawn = (0..<batches.count).flatMap { batches[$0] }
      let rows = drawn.map { unit == .captions ? run.train.rows[$0] : run.train.images[$0].row }
      #expect(drawn.count == (unit == .captions ? 12 : 6))
      #expect(rows.count { $0 >= 4 } * 3 == drawn.count * 2)
    }
  }

  /// What has no weight is not learned, what has one is.
  @Test func learnsWhatHasWeight() throws {
    try withTemporaryFolder { folder in
      var losses: [Double] = []
      for weights in [[1.0, 0], [0, 1]] {
        let run = try run(in: folder, weights: weights)
        (run.configuration.epochs, run.configuration.stopPatience) = (40, 40)
        (run.configuration.decayPatience, run.configuration.views) = (40, 1)
        // Judged on the images of the second set.
        run.validation = EncodedSplit(
          captions: run.train.captions.suffix(4), rows: Array(run.train.rows.suffix(4)),
          references: run.train.references, features: run.caches[0])
        losses.append(log(try run.outcome("\(weights)").perplexity))
      }
      #expect(losses[1] < losses[0] - 0.3, "\(losses)")
    }
  }

  @Test func aResumedRunIsTheSame() throws {
    try withTemporaryFolder { folder in
      let run = try run(in: folder, weights: [1, 3])
      let whole = try run.outcome("whole")
      for stop in [2, 5] {
        var calls = 0
        var trainer = try run.trainer(
          in: "\(folder)/parts\(stop)",
          shouldStop: {
            calls += 1
            return calls == stop
          })
        #expect(throws: TrainingError.self) { try trainer.run() }
        #expect(try run.outcome("parts\(stop)", resume: true) == whole)
      }
      // One set is as none.
      run.configuration.weights = []
      let plain = try run.outcome("plain")
      #expect(plain.tensors != whole.tensors)
      run.train = EncodedSplit(
        captions: run.train.captions, rows: run.train.rows, references: run.train.references,
        features: run.caches[0], views: [run.caches[1]])
      #expect(try run.outcome("without sources") == plain)
    }
  }

  @Test func refusesWeightsThatMakeNoSense() throws {
    try withTemporaryFolder { folder in
      let run = try run(in: folder, weights: [1])
      #expect(run.configuration.problem == "--weight: expected one for each of 2 --captions, found 1")
      for weights in [[0.0, 0], [-1, 2], [.nan, 1], [.infinity, 1]] {
        run.configuration.weights = weights
        #expect(
          run.configuration.problem?.hasPrefix("--weight: expected numbers of 0 or more, not all 0") == true)
      }
      // Nothing is left of the second set.
      run.configuration.weights = [1, 2]
      run.train = EncodedSplit(
        captions: run.train.captions.prefix(8), rows: Array(run.train.rows.prefix(8)),
        references: run.train.references, features: run.caches[0], sources: [0, 0, 0, 0, 1, 1])
      run.configuration.views = 1
      #expect(
        throws: TrainingError.configuration(
          "two.json: expected captions to learn, as --weight 2.0 is theirs, found none")
      ) { try run.trainer(in: folder + "/run") }
    }
  }

  /// Images with too few captions are taught only.
  @Test func rewardsNeedReferences() throws {
    try withTemporaryFolder { folder in
      let run = try run(in: folder, weights: [])
      run.configuration.selfCriticalSamples = 2
      let all = try run.outcome("all")
      run.configuration.rewardReferences = 2
      // Each has two.
      #expect(try run.outcome("two") == all)
      run.configuration.rewardReferences = 3
      let none = try run.outcome("three")
      run.configuration.rewardReferences = 1
      run.configuration.selfCriticalSamples = 0
      #expect(try run.outcome("plain").tensors == none.tensors)
      #expect(none.tensors != all.tensors)
      // Of some images only.
      let references = run.train.references
      run.train = EncodedSplit(
        captions: run.train.captions, rows: run.train.rows,
        references: { $0 < 3 ? references($0) : Array(references($0).prefix(1)) }, features: run.caches[0],
        views: [run.caches[1]])
      (run.configuration.selfCriticalSamples, run.configuration.rewardReferences) = (2, 2)
      let some = try run.outcome("some")
      #expect(some.tensors != none.tensors && some.tensors != all.tensors)
      #expect(
        some.log.contains { $0.contains("\"reward\"") } && !none.log.contains { $0.contains("\"reward\"") })
    }
  }
}
