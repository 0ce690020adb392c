import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

/// Written by name in the format's own terms, read, written by `ModelFile` and read again.
private func network(_ path: String) throws -> (CaptionNetwork, ModelDescription, SafetensorsFile) {
  let file = try SafetensorsFile(path: path)
  let description = try ModelDescription(of: file)
  return (try ModelFile.network(file, description), description, file)
}

@Suite struct ModelFileTests {
  @Test(arguments: [StoredType.float32, .float16, .bfloat16]) func survivesTheFile(type: StoredType) throws {
    try withTemporaryFolder { folder in
      let (first, second) = (folder + "/first.safetensors", folder + "/second.safetensors")
      try TinyNetwork.writeModel(to: first)
      let (model, description, file) = try network(first)
      #expect(Set(model.parameters.map(\.path)).count == 9)
      for parameter in model.parameters {
        #expect(parameter.value == TinyNetwork.tensors()[parameter.path], "\(parameter.path)")
      }
      try ModelFile.write(
        description, model, convolutionsOf: file, prefix: "encoder.", type: type, to: second)
      let (again, sameDescription, written) = try network(second)
      #expect(sameDescription == description)
      #expect(Set(written.entries.keys) == Set(file.entries.keys))
      #expect(written.entries.values.allSatisfy { $0.typeName == type.rawValue })
      let unit: Float = type == .float32 ? 0 : type == .float16 ? 0x1p-11 : 0x1p-8
      for key in file.entries.keys {
        let (before, after) = (try file.tensor(named: key).scalars, try written.tensor(named: key).scalars)
        try #require(!before.isEmpty && before.count == after.count)
        #expect(zip(before, after).allSatisfy { abs($0 - $1) <= max(abs($0) * unit, 0x1p-24) }, "\(key)")
      }
      // What is rounded once stays as it is.
      let third = folder + "/third.safetensors"
      try ModelFile.write(
        description, again, convolutionsOf: written, prefix: "encoder.", type: type, to: third)
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: third)) == Data(contentsOf: URL(fileURLWithPath: second)))
    }
  }

  /// Half-precision convolutions are not blown up to twice their size.
  @Test func convolutionsKeepHalfPrecision() throws {
    try withTemporaryFolder { folder in
      let (first, second) = (folder + "/first.safetensors", folder + "/second.safetensors")
      try TinyNetwork.writeModel(to: first, type: .float16)
      let (model, description, file) = try network(first)
      try ModelFile.write(
        description, model, convolutionsOf: file, prefix: "encoder.", type: .float32, to: second)
      let written = try SafetensorsFile(path: second)
      #expect(written.entries["encoder.features.0.weight"]?.typeName == "F16")
      #expect(written.entries["encoder.classifier.0.weight"]?.typeName == "F32")
    }
  }

  @Test func truncatedFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try TinyNetwork.writeModel(to: path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      for count in [0, 1, 8, 9, 500, whole.count - 4000, whole.count - 1] {
        try whole.prefix(count).write(to: URL(fileURLWithPath: path))
        #expect {
          try CaptionModel(contentsOf: path, caching: .streamed)
        } throws: {
          guard case .weights(.malformed(path, _, _)) = $0 as? ModelError else { return false }
          return true
        }
      }
    }
  }

  @Test(arguments: Array(TinyNetwork.tensors().keys)) func damagedTensorsAreNamed(key: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      let good = try #require(TinyNetwork.tensors()[key])
      func error(_ tensor: Tensor?) throws -> ModelError? {
        var tensors = TinyNetwork.tensors()
        tensors[key] = tensor
        try TinyNetwork.writeModel(to: path, tensors: tensors)
        do throws(ModelError) {
          _ = try CaptionModel(contentsOf: path, caching: .streamed)
          return nil
        } catch { return error }
      }
      #expect(try error(good) == nil)
      #expect(try error(nil) == .weights(.missing(path: path, key: key)))
      var more = good.shape.dimensions
      more[0] += 1
      #expect(
        try error(Tensor(zeros: Shape(more)))
          == .weights(.shape(path: path, key: key, expected: good.shape, found: Shape(more))))
      for value in [Float.nan, .infinity] {
        var bad = good
        bad[good.count - 1] = value
        // The convolutions are only read when an image comes: there it shows in the result.
        let isConvolution = key.hasPrefix("encoder.features")
        #expect(try error(bad) == (isConvolution ? nil : .notFinite(path: path, what: key)))
        if isConvolution {
          let captioner = try CaptionModel(contentsOf: path, caching: .streamed)
          #expect(throws: ModelError.notFinite(path: path, what: "the encoder's output")) {
            try captioner.maps(Tensor(repeating: 1, [1, 32, 32, 3]))
          }
        }
      }
    }
  }
}
