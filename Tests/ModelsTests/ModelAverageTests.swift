import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

@Suite struct ModelAverageTests {
  /// Every tensor is the mean, the logits' divided by the temperature; what the models don't share is not claimed.
  @Test func isTheMean() throws {
    try withTemporaryFolder { folder in
      let paths = ["a", "b"].map { "\(folder)/\($0).safetensors" }
      for (index, path) in paths.enumerated() {
        try TinyNetwork.writeModel(to: path, metadata: TinyNetwork.metadata)
        let file = try SafetensorsFile(path: path)
        var description = try ModelDescription(of: file)
        description.training = ["data": "same", "epoch": String(index)]
        let items = try file.entries.keys.sorted().map { name in
          let tensor = try file.tensor(named: name)
          return SafetensorsWriter.Item(
            name: name, tensor: Tensor(tensor.scalars.map { $0 * Float(1 + 2 * index) }, tensor.shape))
        }
        try SafetensorsWriter.write(items, metadata: description.metadata(), to: path + ".changed")
      }
      let output = folder + "/average.safetensors"
      try ModelAverage.write(paths.map { $0 + ".changed" }, temperature: 4, to: output)
      let (first, average) = (try SafetensorsFile(path: paths[0]), try SafetensorsFile(path: output))
      for name in first.entries.keys {
        // (1 + 3) / 2 of it, and a quarter of that where it makes logits.
        let factor: Float = name.hasPrefix("decoder.output.") ? 0.5 : 2
        let expected = try first.tensor(named: name).scalars.map { $0 * factor }
        #expect(relativeError(try average.tensor(named: name).scalars, expected) < 1e-6, "\(name)")
      }
      #expect(
        try ModelDescription(of: average).training
          == ["data": "same", "average_of": "2", "temperature": "4.0"])
    }
  }

  /// Models that are made otherwise have no average.
  @Test func refusesOtherModels() throws {
    try withTemporaryFolder { folder in
      let paths = ["a", "b"].map { "\(folder)/\($0).safetensors" }
      try TinyNetwork.writeModel(to: paths[0], metadata: TinyNetwork.metadata)
      var metadata = TinyNetwork.metadata
      metadata["architecture"] = metadata["architecture"]?.replacingOccurrences(
        of: "everyStep", with: "firstStep")
      try TinyNetwork.writeModel(to: paths[1], metadata: metadata)
      #expect(
        throws: ModelError.unsupported(path: paths[1], expected: "injection everyStep", found: "firstStep")
      ) { try ModelAverage.write(paths, to: folder + "/c.safetensors") }
    }
  }

  /// Heads that read other coordinates have no average either.
  @Test func refusesOtherMeasures() throws {
    try withTemporaryFolder { folder in
      let paths = ["a", "b"].map { "\(folder)/\($0).safetensors" }
      var metadata = TinyNetwork.metadata
      metadata["architecture"] = try #require(metadata["architecture"])
        .replacingOccurrences(of: "{", with: #"{"feature_normalization": "mean", "#)
      for (index, path) in paths.enumerated() {
        var tensors = TinyNetwork.tensors()
        tensors["encoder.normalization.mean"] = Tensor(repeating: Float(index), [4])
        try TinyNetwork.writeModel(to: path, metadata: metadata, tensors: tensors)
      }
      let expected = "encoder.normalization.mean as in \(paths[0])"
      #expect(throws: ModelError.unsupported(path: paths[1], expected: expected, found: "another")) {
        try ModelAverage.write(paths, to: folder + "/c.safetensors")
      }
      try ModelAverage.write([paths[1], paths[1]], to: folder + "/c.safetensors")
    }
  }
}
