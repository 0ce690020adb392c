import Datasets
import Foundation
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct BatchShareTests {
  @Test func sharesAreAllOfIt() {
    for ranks in 1...5 {
      for count in 0..<12 {
        let weights = (0..<count).map { ($0 * 7) % 5 + 1 }
        let shares = (0..<ranks).map { BatchShare(rank: $0, count: ranks).own(weights: weights) }
        #expect(shares.flatMap(\.self).sorted() == Array(0..<count))
        #expect(shares.allSatisfy { $0 == $0.sorted() })
        let sums = shares.map { $0.reduce(0) { $0 + weights[$1] } }
        #expect(sums.max()! - sums.min()! <= 5)
      }
    }
  }

  @Test func partsOfPackedSequences() {
    let (whole, _) = PackedSequences.packing(
      [[4, 5, 6], [7], [8, 9]], imageRows: [0, 1, 2], start: 1, end: 2)
    // Sequences are 0, 2 and 1 then.
    let (part, rows) = whole.part([0, 2], about: [0, 1])
    #expect(part.inputs == [1, 1, 4, 7, 5, 6] && part.targets == [4, 7, 5, 2, 6, 2])
    #expect(part.batchSizes == [2, 2, 1, 1] && part.imageRows == [0, 1])
    #expect(rows.positions == [0, 2, 3, 5, 6, 8] && rows.sequences == [0, 2] && rows.images == [0, 1])
    #expect(rows.wholePositions == 9 && rows.wholeSequences == 3)
    #expect(rows.precededByInput == [0, 2, 3, 5, 6, 8, 9, 11])
    for (place, row) in rows.positions.enumerated() {
      #expect(part.inputs[place] == whole.inputs[Int(row)] && part.targets[place] == whole.targets[Int(row)])
    }
  }
}

@Suite struct SharedTrainingTests {
  /// What so many ranks make of a run, in a folder of that name.
  private func outcome(
    _ run: TinyRun, _ name: String, ranks: Int, resume: Bool = false,
    shouldStop: @escaping @Sendable (_ rank: Int) -> Bool = { _ in false }
  ) throws -> Outcome {
    // Each thread makes a trainer of its own, of what nobody changes.
    nonisolated(unsafe) let run = run
    let output = "\(run.folder)/\(name)"
    let perplexities = ThreadGroup.run(ranks) { group in
      var trainer = try run.trainer(
        in: output, resume: resume, shouldStop: { shouldStop(group.rank) }, among: group)
      return try trainer.run()
    }
    let all = try perplexities.map { try $0.get() }
    #expect(all.allSatisfy { $0 == all[0] })
    return try Outcome(output, all[0])
  }

  /// The largest difference of tensors, relative to the largest number of each.
  private func difference(_ one: Outcome, _ other: Outcome) -> Double {
    #expect(one.tensors.keys == other.tensors.keys && one.log.count == other.log.count)
    return one.tensors.map { name, tensor in
      let others = other.tensors[name]!
      let pairs = zip(tensor.scalars, others.scalars)
      let largest = max(1e-30, tensor.scalars.reduce(0) { max($0, abs($1)) })
      return Double(pairs.reduce(0) { max($0, abs($1.0 - $1.1)) } / largest)
    }.max()!
  }

  private static let ways: [(name: String, change: @Sendable (inout TrainingConfiguration) -> Void)] = [
    ("captions", { _ in }),
    ("images", { $0.batchUnit = .images }),
    (
      "layers",
      {
        ($0.layers, $0.layerDropout, $0.pooledDropout, $0.featureDropout) = (2, 0.3, 0.2, 0.3)
        $0.conditioning = .firstInput
      }
    ),
    (
      "scheduled",
      {
        ($0.scheduledSampling.curve, $0.scheduledSampling.choice) = (.linear, .sample)
        ($0.samplingK, $0.samplingFloor) = (0.5, 0.5)
      }
    ),
    (
      "coins of captions",
      {
        ($0.scheduledSampling.curve, $0.scheduledSampling.choice) = (.linear, .argmax)
        ($0.scheduledSampling.coin, $0.samplingK, $0.samplingFloor) = (.sequence, 0.5, 0.5)
      }
    ),
  ]

  /// A hundred steps and more, dropout and all: the same but for rounding, and the same ranks the same bits.
  @Test(arguments: ways.indices) func ranksAgreeWithOneProcess(way: Int) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      (run.configuration.epochs, run.configuration.stopPatience) = (34, 100)
      run.configuration.learningRate = 0.002
      Self.ways[way].change(&run.configuration)
      let alone = try run.outcome("alone")
      let two = try outcome(run, "two", ranks: 2)
      #expect(difference(alone, two) < 1e-5, "\(Self.ways[way].name)")
      if way == 0 { #expect(try outcome(run, "again", ranks: 2) == two) }
      // Of twelve captions in fives the last two leave a rank with none.
      #expect(try difference(alone, outcome(run, "three", ranks: 3)) < 1e-5, "\(Self.ways[way].name)")
    }
  }

  /// Text, labels and a teacher's scores, before the captions and beside them; and convolutions that learn.
  @Test(arguments: [false, true]) func soIsWhatIsLearnedBeside(fineTuning: Bool) throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder, fineTuning: fineTuning)
      try run.learnAll()
      (run.configuration.epochs, run.configuration.learningRate) = (fineTuning ? 4 : 12, 0.002)
      let alone = try run.outcome("alone")
      for ranks in 2...3 {
        let shared = try outcome(run, "ranks\(ranks)", ranks: ranks)
        #expect(difference(alone, shared) < 1e-5, "\(ranks) ranks")
      }
    }
  }

  @Test func otherRanksGoOn() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      let alone = try run.outcome("alone")
      let calls = Calls()
      #expect(throws: TrainingError.self) {
        _ = try outcome(run, "stopped", ranks: 2) { $0 == 1 && calls.next() > 4 }
      }
      #expect(try difference(alone, outcome(run, "stopped", ranks: 3, resume: true)) < 1e-5)
    }
  }

  @Test func whatCannotBeSharedIsRefused() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(in: folder)
      run.configuration.selfCriticalSamples = 2
      let expected = TrainingError.configuration(
        "--self-critical: expected 0 where 2 processes share every batch, found 2")
      #expect(throws: expected) { _ = try outcome(run, "run", ranks: 2) }
      #expect(!FileManager.default.fileExists(atPath: folder + "/run/log.jsonl"))
    }
  }

  @Test func otherOptionsAndFilesAreRefused() throws {
    let results = ThreadGroup.run(3) { group in
      var options = TrainingConfiguration()
      if group.rank == 2 { options.batchSize = 7 }
      try RunAgreement.check(among: group, options: options) { [("captions", ["a", "b"])] }
    }
    for result in results {
      #expect { try result.get() } throws: {
        "\($0)".hasPrefix(
          "rank 2: expected the options and files of rank 0, found --batch-size 7 instead of ")
      }
    }
    let others = ThreadGroup.run(2) { group in
      try RunAgreement.check(among: group) { [("training captions", group.isFirst ? ["ab"] : ["a", "b"])] }
    }
    for result in others {
      #expect { try result.get() } throws: {
        "\($0)".contains("rank 1") && "\($0)".contains("other training captions")
      }
    }
  }
}

private final class Calls: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  func next() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}
