import Foundation
import Imaging
import Support
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Models

/// Encoders as other libraries name them.
@Suite struct ImportedEncoderTests {
  /// Two convolutions of 2 and 3 channels with pools, FC layers of 4, and three classes, each tensor of its own numbers.
  private static let shapes: [(name: String, shape: [Int])] = [
    ("features.0.weight", [2, 3, 3, 3]), ("features.0.bias", [2]), ("features.3.weight", [3, 2, 3, 3]),
    ("features.3.bias", [3]), ("classifier.0.weight", [4, 147]), ("classifier.0.bias", [4]),
    ("classifier.3.weight", [4, 4]), ("classifier.3.bias", [4]), ("classifier.6.weight", [3, 4]),
    ("classifier.6.bias", [3]),
  ]

  private static func tensor(_ name: String, _ shape: [Int]) -> Tensor {
    var random = Random(seed: 1, stream: UInt64(shapes.firstIndex { $0.name == name } ?? 99))
    return Tensor(uniform: Shape(shape), limit: 1, using: &random)
  }

  private static let expected = Dictionary(
    uniqueKeysWithValues: shapes.map { ($0.name, tensor($0.name, $0.shape)) })

  /// Writes the network under other names and shapes.
  private func write(
    to path: String, metadata: [String: String] = [:], shaped: (String) -> [Int]? = { _ in nil },
    named: (String) -> String?
  ) throws {
    let items = Self.shapes.compactMap { name, shape in
      named(name).map {
        SafetensorsWriter.Item(
          name: $0, tensor: Self.tensor(name, shape).reshaped(Shape(shaped(name) ?? shape)))
      }
    }
    try SafetensorsWriter.write(items, metadata: metadata, to: path)
  }

  private func check(_ imported: ImportedEncoder, head: Bool = true, leftOver: [String]) throws {
    let names = Self.shapes.map(\.name).filter { $0.hasPrefix("features.") || head && !$0.contains(".6.") }
    #expect(imported.tensors.map(\.name) == names)
    for (name, tensor) in imported.tensors { #expect(tensor == Self.expected[name], "\(name)") }
    #expect(Set(imported.leftOver) == Set(leftOver))
    let network = try VGGArchitecture(weights: imported.file(path: "a"))
    #expect(network.table == "2,pool,3,pool" && network.head == (head ? .full : .none))
  }

  @Test func torchvisionWithAPrefix() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try write(to: path, metadata: Preprocessing.caffe.weightsMetadata) { "cnn." + $0 }
      let imported = try ImportedEncoder(path: path)
      try check(imported, leftOver: ["cnn.classifier.6.weight", "cnn.classifier.6.bias"])
      #expect(imported.preprocessing == .caffe)
      let source = try EncoderSource(path: path, preprocessing: "auto")
      #expect(source.preprocessing == .caffe && source.architecture.head == .full && source.prefix.isEmpty)
      #expect(try source.file.tensor(named: "features.3.weight") == Self.expected["features.3.weight"])
    }
  }

  /// Convolutions in place of FC layers.
  @Test func timm() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try write(to: path) {
        ["classifier.0.weight": [4, 3, 7, 7], "classifier.3.weight": [4, 4, 1, 1]][$0]
      } named: {
        $0.replacingOccurrences(of: "classifier.0", with: "pre_logits.fc1")
          .replacingOccurrences(of: "classifier.3", with: "pre_logits.fc2")
          .replacingOccurrences(of: "classifier.6", with: "head.fc")
      }
      let imported = try ImportedEncoder(path: path)
      try check(imported, leftOver: ["head.fc.weight", "head.fc.bias"])
      #expect(imported.preprocessing == .torchvision)
    }
  }

  @Test func pretrainedModels() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try write(to: path) {
        $0.replacingOccurrences(of: "features.", with: "_features.")
          .replacingOccurrences(of: "classifier.0", with: "linear0")
          .replacingOccurrences(of: "classifier.3", with: "linear1")
          .replacingOccurrences(of: "classifier.6", with: "last_linear")
      }
      let imported = try ImportedEncoder(path: path)
      try check(imported, leftOver: ["last_linear.weight", "last_linear.bias"])
      #expect(imported.preprocessing == nil)
    }
  }

  /// Features alone; FC layers that lie elsewhere among the classifier's, or are not VGG's.
  @Test func otherHeads() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try write(to: path) { $0.hasPrefix("features.") ? String($0.dropFirst(9)) : nil }
      try check(ImportedEncoder(path: path), head: false, leftOver: [])
      try write(to: path) {
        "vgg."
          + $0.replacingOccurrences(of: "classifier.3", with: "classifier.2").replacingOccurrences(
            of: "classifier.6", with: "classifier.4")
      }
      try check(ImportedEncoder(path: path), leftOver: ["vgg.classifier.4.weight", "vgg.classifier.4.bias"])
      try write(to: path) { $0.contains(".3.") && $0.hasPrefix("classifier") ? nil : "vgg." + $0 }
      let names = ["0.weight", "0.bias", "6.weight", "6.bias"].map { "vgg.classifier." + $0 }
      try check(ImportedEncoder(path: path), head: false, leftOver: names)
    }
  }

  /// With batch normalisation biases may be missing; counts of steps are no weights.
  @Test func batchNormalization() throws {
    let normalized = Shape([2])
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      func items(_ prefix: String) -> [SafetensorsWriter.Item] {
        var items: [SafetensorsWriter.Item] = []
        for (number, channels) in [(0, 3), (4, 2)] {
          items.append(
            .init(
              name: "\(prefix)\(number).weight",
              tensor: Tensor(repeating: Float(number), [2, channels, 3, 3])))
          for (index, kind) in ["weight", "bias", "running_mean", "running_var"].enumerated() {
            items.append(
              .init(
                name: "\(prefix)\(number + 1).\(kind)",
                tensor: Tensor(repeating: Float(index + 1), normalized)))
          }
          items.append(.init(name: "\(prefix)\(number + 1).num_batches_tracked", tensor: Tensor(zeros: [])))
        }
        return items
      }
      for prefix in ["features.", "backbone.features.", ""] {
        try SafetensorsWriter.write(items(prefix), metadata: [:], to: path)
        let source = try EncoderSource(path: path, preprocessing: "auto")
        #expect(source.architecture.table == "2,pool,2,pool" && source.architecture.batchNormalization)
        #expect(try ImportedEncoder(path: path).leftOver == [])
        #expect(try source.file.tensor(named: "features.4.bias") == Tensor(zeros: [2]))
      }
      try SafetensorsWriter.write(Array(items("a.").dropLast(2)), metadata: [:], to: path)
      #expect(
        throws: ModelError.unsupported(path: path, expected: "a tensor named a.5.running_var", found: "none")
      ) { try ImportedEncoder(path: path) }
    }
  }

  @Test func otherNetworksAreCalledByWhatTheyHold() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try SafetensorsWriter.write(
        [
          .init(name: "conv1.weight", tensor: Tensor(zeros: [4, 3, 7, 7])),
          .init(name: "layer1.0.weight", tensor: Tensor(zeros: [4, 4, 3, 3])),
        ], metadata: [:], to: path)
      #expect(
        throws: ModelError.unsupported(
          path: path, expected: "the convolutions of a VGG network",
          found: "2 tensors (conv1.weight, layer1.0.weight)")
      ) { try ImportedEncoder(path: path) }
      // A MobileNet begins in the same way.
      try SafetensorsWriter.write(
        [
          .init(name: "features.0.0.weight", tensor: Tensor(zeros: [4, 3, 3, 3])),
          .init(name: "features.0.1.weight", tensor: Tensor(zeros: [4])),
          .init(name: "features.1.conv.0.weight", tensor: Tensor(zeros: [4, 1, 3, 3])),
        ], metadata: [:], to: path)
      #expect(throws: ModelError.self) { try ImportedEncoder(path: path) }
      #expect(throws: ModelError.self) { try EncoderSource(path: path, preprocessing: "auto") }
      // Without scalars, and as wide as no number can count.
      let wide = Tensor(zeros: [1 << 60, 0, 3, 3])
      let first = Tensor(zeros: [4, 3, 3, 3])
      try SafetensorsWriter.write(
        [
          .init(name: "x.0.weight", tensor: first), .init(name: "x.3.weight", tensor: wide),
          .init(name: "x.4.weight", tensor: Tensor(zeros: [1])),
        ], metadata: [:], to: path)
      #expect(throws: ModelError.self) { try ImportedEncoder(path: path) }
      try Data("<!DOCTYPE html>".utf8).write(to: URL(fileURLWithPath: path))
      #expect {
        try ImportedEncoder(path: path)
      } throws: { "\($0)".contains("HTML") }
    }
  }
}
