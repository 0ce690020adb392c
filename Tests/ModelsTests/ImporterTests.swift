import Foundation
import Imaging
import Kernels
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Models

/// VGG networks of other programs: their features are those that PyTorch computes.
@Suite struct ImporterTests {
  private func imported(_ path: String) throws -> ImportedEncoder? {
    let file = try #require(try NamedTensors.read(path: path))
    for importer in ImportedEncoder.importers {
      if let encoder = try importer.imported(file) { return encoder }
    }
    return nil
  }

  private func error(_ path: String) throws -> String {
    let error = #expect(throws: ModelError.self) { try imported(path) }
    return error.map { "\($0)" } ?? ""
  }

  @Test(arguments: [
    ("vgg.caffemodel", "v", ["fc8/0", "fc8/1"]), ("vgg-2014.caffemodel", "v", ["fc8/0", "fc8/1"]),
    ("vgg.onnx", "v", ["classifier.6.weight", "classifier.6.bias"]),
    ("vgg-matmul.onnx", "v", ["w2", "b2"]),
    ("vgg-bn.onnx", "bn.v", ["t18.weight", "t18.bias"]),
    ("vgg-bn-folded.onnx", "bn.v", ["classifier.6.weight", "classifier.6.bias"]),
    ("vgg-bn-zero.onnx", "bn.v", ["classifier.6.weight", "classifier.6.bias"]),
  ]) func featuresAreTorchs(name: String, key: String, leftOver: [String]) throws {
    let encoder = try #require(try imported(fixture("foreign/\(name)")))
    #expect(encoder.leftOver == leftOver)
    #expect((encoder.preprocessing == .caffe) == name.hasSuffix("caffemodel"))
    let file = try SafetensorsFile(inMemory: encoder.tensors, metadata: [:], path: name)
    let network = try VGGArchitecture(weights: file)
    #expect(network.table == "2,3,pool,4,pool" && network.head == .full && network.featureSize == 5)
    #expect(network.batchNormalization == (name == "vgg-bn.onnx"))
    let golden = try SafetensorsFile(path: fixture("foreign/vgg.safetensors"))
    let preprocessing = try Preprocessing(
      width: 28, height: 28, resize: .stretch, channelOrder: .rgb, scale: .unit, mean: [0, 0, 0],
      standardDeviation: [1, 1, 1])
    let convolutions = try VGGEncoder(
      network, preprocessing: preprocessing, weights: file, caching: .streamed)
    let head = try StoredFeatureHead(network, weights: file, prefix: "", on: .cpu)
    let v = head(convolutions.pooled(try golden.tensor(named: "images")), on: .cpu)
    let expected = try golden.tensor(named: key)
    #expect(v.shape == expected.shape && absoluteError(v.scalars, expected.scalars) < 1e-5)
    #expect(expected.scalars.contains { $0 > 0.1 })
  }

  /// A Caffe network with another layer's name or size of convolution.
  @Test func othersOfCaffeAreRefused() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("foreign/vgg.caffemodel")))
    func changed(_ old: String, _ new: String) throws -> String {
      try withTemporaryFolder { folder in
        var bytes = whole
        while let range = bytes.range(of: Data(old.utf8)) {
          bytes.replaceSubrange(range, with: Data(new.utf8))
        }
        try bytes.write(to: URL(fileURLWithPath: folder + "/other.caffemodel"))
        return try error(folder + "/other.caffemodel")
      }
    }
    // As VGG-M's are called, one out of order, and a 3×3 convolution that has become one of 1×9.
    #expect(
      try changed("conv1_1", "conv1  ").contains(
        "conv1_1, conv1_2, … (VGG-11, 13, 16, 19), found VGG: conv1  /0"))
    #expect(try changed("conv2_1", "conv3_1").contains("found VGG: conv3_1/0 [4, 3, 3, 3]"))
    #expect(try changed("\u{2}\u{3}\u{3}\u{3}", "\u{2}\u{3}\u{1}\u{9}").contains("conv1_1 of 3×3"))
  }

  /// An ONNX graph of which one operation is another.
  @Test(arguments: [
    ("Relu", "Selu", "the operations of a VGG network, found a Selu"),
    ("MaxPool", "LpPooli", "found a LpPooli"), ("Softmax", "Softmix", "found a Softmix"),
    ("strides", "stridez", "2×2 pools with stride 2"), ("pads", "padz", "padding and stride 1"),
    ("y0", "y7", "which reads"),
  ]) func othersOfONNXAreRefused(old: String, new: String, says: String) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture("foreign/vgg-matmul.onnx")))
    let range = try #require(bytes.range(of: Data(old.utf8)))
    bytes.replaceSubrange(range, with: Data(new.utf8))
    try withTemporaryFolder { folder in
      try bytes.write(to: URL(fileURLWithPath: folder + "/other.onnx"))
      let text = try error(folder + "/other.onnx")
      #expect(text.contains(says) && !text.contains("\n"), "\(text)")
    }
  }

  /// A bias that is not there is as long as its convolution has channels, of which an empty tensor may claim any number.
  @Test func convolutionsWithoutWeightsAreRefused() throws {
    var graph = ONNXGraph(name: "empty")
    let weight = graph.tensor("w", Tensor(zeros: [1 << 40, 0, 3, 3]))
    graph.add("Conv", ["x", weight], ["pads": .integers([1, 1, 1, 1])])
    try withTemporaryFolder { folder in
      try graph.write(metadata: [:], to: folder + "/empty.onnx")
      #expect(try error(folder + "/empty.onnx").contains("with their weights in the file, found a Conv"))
    }
  }
}
