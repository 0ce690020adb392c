import Kernels
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Models

@Suite struct KerasVGGTests {
  /// Whatever names a file of Keras has, its network computes what Keras computes with it.
  @Test(arguments: [
    "keras1.h5", "keras2.h5", "model.h5", "model.weights.h5", "inside.weights.h5", "model.keras",
  ])
  func computesWhatKerasDoes(name: String) throws {
    let path = fixture("keras/\(name)")
    let read = try #require(try NamedTensors.read(path: path))
    let imported = try #require(try KerasVGG().imported(read))
    #expect(imported.preprocessing == .caffe)
    #expect(imported.leftOver.count { $0.contains("predictions/") || $0.contains("dense_2/") } == 2)
    #expect(!imported.leftOver.contains { $0.contains("conv") || $0.contains("fc") })
    let file = try SafetensorsFile(inMemory: imported.tensors, metadata: [:], path: path)
    let network = try VGGArchitecture(weights: file)
    #expect(network.table == "4,pool,4,pool" && network.head == .full && network.featureSize == 8)
    let golden = try SafetensorsFile(path: fixture("keras/expected.safetensors"))
    let stack = try ConvolutionStack(network, weights: file, prefix: "", caching: .streamed, on: .cpu)
    let map = stack(try golden.tensor(named: "images"))
    #expect(try relativeError(map, golden.tensor(named: "map")) < 1e-5)
    let head = try StoredFeatureHead(network, weights: file, prefix: "", on: .cpu)
    let features = head(adaptiveAveragePool(map, side: 7), on: .cpu)
    #expect(try relativeError(features, golden.tensor(named: "features")) < 1e-5)
  }

  /// As `--encoder` takes it.
  @Test func isAnEncoder() throws {
    let source = try EncoderSource(path: fixture("keras/model.keras"), preprocessing: "auto")
    #expect(source.preprocessing == .caffe && source.architecture.head == .full && !source.isModel)
  }

  /// A file of tensors of these shapes, all zero.
  private func file(_ shapes: [(String, Shape)]) -> NamedTensors {
    NamedTensors(
      path: "a.h5", format: .hdf5,
      entries: shapes.map { name, shape in
        .init(name: name, shape: shape, typeName: "float32") { Tensor(zeros: shape) }
      })
  }

  /// Keras 3 without layers' names: where a published network has its pools.
  @Test func numberedLayersAreThoseOfAPublishedNetwork() throws {
    func numbered(_ count: Int) -> [(String, Shape)] {
      (0..<count).flatMap { number -> [(String, Shape)] in
        let name = "layers/conv2d\(number == 0 ? "" : "_\(number)")/vars"
        return [(name + "/0", [3, 3, number == 0 ? 3 : 2, 2]), (name + "/1", [2])]
      }
    }
    let imported = try #require(try KerasVGG().imported(file(numbered(13))))
    let names = imported.tensors.map(\.name)
    let vgg16 = try #require(VGGArchitecture.vgg(16, head: .none))
    #expect(
      names == vgg16.convolutions.flatMap { ["features.\($0.index).weight", "features.\($0.index).bias"] })
    #expect(throws: ModelError.self) { try KerasVGG().imported(file(numbered(12))) }
  }

  /// Without FC layers, or with others than those of VGG: the convolutions alone.
  @Test func otherHeadsAreLeftOver() throws {
    let convolution: [(String, Shape)] = [
      ("block1_conv1/block1_conv1/kernel:0", [3, 3, 3, 2]), ("block1_conv1/block1_conv1/bias:0", [2]),
    ]
    #expect(try KerasVGG().imported(file(convolution))?.leftOver == [])
    let other: [(String, Shape)] = [("fc1/fc1/kernel:0", [18, 5]), ("fc1/fc1/bias:0", [5])]
    let imported = try #require(try KerasVGG().imported(file(convolution + other)))
    #expect(imported.tensors.count == 2 && imported.leftOver == other.map(\.0))
  }

  @Test func refusesWhatDoesNotFit() throws {
    func problem(_ shapes: [(String, Shape)]) -> String {
      do { return try KerasVGG().imported(file(shapes)) == nil ? "none" : "imported" } catch {
        return "\(error)"
      }
    }
    #expect(problem([("dense/kernel:0", [3, 2])]) == "none")
    #expect(
      problem([("block1_conv1/block1_conv1_W:0", [2, 3, 3, 3]), ("block1_conv1/block1_conv1_b:0", [2])])
        == "a.h5: expected block1_conv1/kernel of shape [3, 3, 3, K], "
        + "found block1_conv1/block1_conv1_W:0 of shape [2, 3, 3, 3]")
    #expect(
      problem([("block1_conv1/kernel", [3, 3, 3, 2])])
        == "a.h5: expected block1_conv1/bias of shape [2], found none")
    #expect(
      problem([("block2_conv1/kernel", [3, 3, 3, 2])]) == "a.h5: expected block1_conv1, found block2_conv1")
    #expect(
      problem([("block1_conv1/kernel", [3, 3, 3, 2]), ("block1_conv3/kernel", [3, 3, 2, 2])])
        == "a.h5: expected block1_conv2, found block1_conv3")
  }
}
