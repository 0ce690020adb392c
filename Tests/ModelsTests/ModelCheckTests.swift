@testable import Models
import Foundation
import Support
import Tensors
import TestSupport
import Testing

/// What `doctor` says of models.
@Suite struct ModelCheckTests {
  private func findings(
    _ metadata: [String: String] = TinyNetwork.metadata, _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) throws -> [(kind: String, place: String)] {
    try withTemporaryFolder { folder in
      let path = folder + "/model"
      var tensors = TinyNetwork.tensors()
      change(&tensors)
      try TinyNetwork.writeModel(to: path, metadata: metadata, tensors: tensors)
      var reports: [Int] = []
      let check = ModelCheck(try SafetensorsFile(path: path)) { done, total in reports.append(total - done) }
      #expect(reports.last == 0)
      return check.findings.map { ($0.kind.name, $0.place.replacing(path, with: "model")) }
    }
  }

  @Test func nothingIsFoundInAGoodModel() throws {
    #expect(try findings().isEmpty)
    try withTemporaryFolder { folder in
      try TinyNetwork.writeConvolutions(to: folder + "/vgg")
      let check = ModelCheck(try SafetensorsFile(path: folder + "/vgg"))
      #expect(check.findings.isEmpty)
    }
  }

  /// Every tensor of the model, damaged in every way.
  @Test(arguments: Array(TinyNetwork.tensors().keys)) func everyTensorCounts(key: String) throws {
    let cases: [(String, (inout [String: Tensor]) -> Void)] = [
      ("not_finite", { $0[key]?[0] = .nan }), ("not_finite", { $0[key]?[0] = -.infinity }),
      ("not_finite", { $0[key]?[0] = 3e38 }), ("missing_tensor", { $0[key] = nil }),
      ("tensor_shape", { $0[key] = Tensor(repeating: 1, [3, 5]) }),
    ]
    for (kind, change) in cases {
      let found = try findings(change: change)
      #expect(found.contains { $0.kind == kind && $0.place == "model: \(key)" }, "\(kind): \(found)")
      #expect(found.allSatisfy { $0.kind == kind }, "\(found)")
    }
  }

  @Test func deadAndForeignTensorsAreNamed() throws {
    let key = "decoder.output.weight"
    #expect(
      try findings { $0[key] = Tensor(zeros: $0[key]!.shape) }.map(\.place) == ["model: \(key)"])
    let unused = try findings { $0["optimizer.m"] = Tensor(repeating: 1, [4]) }
    #expect(unused.map(\.kind) == ["unused_tensor"])
  }

  @Test func descriptionsThatAreWrongAreNamed() throws {
    var metadata = TinyNetwork.metadata
    metadata["vocabulary"] = #"["a"]"#
    #expect(try findings(metadata).map(\.kind) == ["metadata"])
    // As large as it says it would be tens of gigabytes.
    metadata = TinyNetwork.metadata
    metadata["architecture"] = metadata["architecture"]?.replacing("16", with: "16384")
      .replacing(#""hidden_size": 8"#, with: #""hidden_size": 16384"#)
    #expect(try findings(metadata).contains { $0.kind == "tensor_shape" })
    #expect(try findings(["format": "pt"]).map(\.kind) == ["metadata"])
  }

  private func findings(change: (inout [String: Tensor]) -> Void) throws -> [(kind: String, place: String)] {
    try findings(TinyNetwork.metadata, change)
  }
}
