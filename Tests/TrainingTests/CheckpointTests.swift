import Models
import Foundation
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

private func module(_ seed: UInt64) -> Linear {
  var random = Random(seed: seed)
  return Linear("x", inputs: 3, outputs: 2) { Tensor(uniform: $0.shape, limit: 1, using: &random) }
}

private func state(step: Int) -> RunState {
  var schedule = LearningRateSchedule(learningRate: 0.1, .plateau(factor: 0.5, patience: 1), stopPatience: 4)
  _ = schedule.observe(1.2345678901234567, epoch: 1)
  return RunState(
    epoch: 2, batch: 3, step: step, lossSum: 0.1 + 0.2, words: 17, seconds: 1e-7, schedule: schedule,
    logLength: 99, vocabulary: ["<pad>", "ü"], data: "1 2", configuration: TrainingConfiguration())
}

/// A checkpoint of a module that has taken three steps, and what it is of.
private func written(_ path: String) throws -> (Linear, Optimizer, WeightAverage, RunState) {
  var module = module(1)
  var (optimizer, average) = (Optimizer(.adam(), learningRate: 0.1), WeightAverage(of: module, decay: 0.9))
  for step in 1...3 {
    module.visitParameters { parameter in
      for i in 0..<parameter.value.count { parameter.gradientPointer()[i] = Float(i + step) }
    }
    optimizer.update(&module, on: .cpu)
    average.update(with: &module, step: step, on: .cpu)
  }
  try Checkpoint.write(to: path, module, [optimizer], average, state(step: 3))
  return (module, optimizer, average, state(step: 3))
}

@Suite struct CheckpointTests {
  @Test func everythingComesBack() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      let (module, optimizer, average, state) = try written(path)
      let file = try SafetensorsFile(path: path)
      #expect(try Checkpoint.state(in: file) == state)
      var other = CheckpointTests.other
      try Checkpoint.restore(file, step: 3, &other.module, &other.optimizer, &other.average)
      #expect(other.module.parameters.map(\.value) == module.parameters.map(\.value))
      #expect(other.optimizer.step == 3 && other.average.values == average.values)
      #expect(Set(other.optimizer.moments.keys) == ["x.weight", "x.bias"])
      for (path, moments) in optimizer.moments {
        #expect(moments.count == 2 && other.optimizer.moments[path] == moments)
      }
    }
  }

  /// Options that are new since take their defaults, a file is a list of one, and keys are in camelCase.
  @Test func anEarlierVersionsStateIsRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      let expected = try written(path).3
      var metadata = try SafetensorsFile(path: path).metadata
      let text = try #require(metadata["state"])
      let older = text.replacing(#","length_buckets":false"#, with: "")
        .replacing(#""captions":[]"#, with: #""captions":"""#)
        .replacing(#""min_count":"#, with: #""minimumCount":"#)
        .replacing(#""max_length":"#, with: #""maximumLength":"#)
        .replacing(#""self_critical":"#, with: #""selfCriticalSamples":"#)
        .replacing(/_([a-z])/) { $0.1.uppercased() }
      #expect(!older.contains("_") && older.contains(#""bestLoss":"#) && older.contains(#""averageDecay":"#))
      metadata["state"] = older
      try SafetensorsWriter.write([], metadata: metadata, to: path)
      #expect(try Checkpoint.state(in: SafetensorsFile(path: path)) == expected)
    }
  }

  private static var other: (module: Linear, optimizer: Optimizer, average: WeightAverage) {
    let module = module(2)
    return (module, Optimizer(.adam(), learningRate: 0.1), WeightAverage(of: module, decay: 0.9))
  }

  @Test func truncatedFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      _ = try written(path)
      let whole = try #require(FileManager.default.contents(atPath: path))
      for count in [0, 7, 100, whole.count / 2, whole.count - 1] {
        try whole.prefix(count).write(to: URL(fileURLWithPath: path))
        #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
      }
    }
  }

  @Test func missingTensorsAreNamed() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      _ = try written(path)
      let file = try SafetensorsFile(path: path)
      for missing in ["x.bias", "adam.first.x.weight", "adam.second.x.bias", "average.x.weight"] {
        let items = try file.entries.keys.filter { $0 != missing }.map {
          SafetensorsWriter.Item(name: $0, tensor: try file.tensor(named: $0))
        }
        let cut = folder + "/cut.safetensors"
        try SafetensorsWriter.write(items, metadata: file.metadata, to: cut)
        var other = CheckpointTests.other
        #expect(throws: ModelError.weights(.missing(path: cut, key: missing))) {
          try Checkpoint.restore(
            SafetensorsFile(path: cut), step: 3, &other.module, &other.optimizer, &other.average)
        }
      }
    }
  }

  @Test func foreignFilesAndImpossibleStatesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      _ = try written(path)
      let good = try SafetensorsFile(path: path).metadata
      let text = try #require(good["state"])
      func refuses(_ changes: [String: String]) throws -> Bool {
        let metadata = good.merging(changes) { $1 }
        try SafetensorsWriter.write([], metadata: metadata, to: path)
        do {
          _ = try Checkpoint.state(in: SafetensorsFile(path: path))
          return false
        } catch let error as ModelError {
          return error.description.hasPrefix(path + ": expected ")
        }
      }
      #expect(try !refuses([:]))
      #expect(try refuses(["format": "captioner"]))
      #expect(try refuses(["format_version": "2"]))
      #expect(try refuses(["state": "{}"]))
      for (key, value) in [
        ("epoch", "0"), ("epoch", "9223372036854775807"), ("batch", "-1"), ("batch", "0"), ("step", "-4"),
        ("step", "9223372036854775807"), ("words", "0"), ("log_length", "-1"), ("seconds", "-1"),
        ("batch", "1e99"),
      ] {
        let changed = text.replacingOccurrences(
          of: "\"\(key)\":[^,}]*", with: "\"\(key)\":\(value)", options: .regularExpression)
        #expect(changed != text)
        #expect(try refuses(["state": changed]), "\(key) \(value)")
      }
    }
  }
}
