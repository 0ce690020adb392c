import Models
import Kernels
import Support
import Tensors
import TestSupport
import Testing

/// Weights as tools/golden/vgg.py draws them.
func writeSeededVGG(_ depth: Int, to path: String) throws {
  let architecture = try #require(VGGArchitecture.vgg(depth, head: .none))
  var items: [SafetensorsWriter.Item] = []
  var (index, channels, parameter) = (0, 3, UInt64(0))
  for layer in architecture.layers {
    guard case .convolution(let width) = layer else {
      index += 1
      continue
    }
    var weights = Random(seed: 1234, stream: UInt64(depth), parameter)
    var bias = Random(seed: 1234, stream: UInt64(depth), parameter + 1)
    let limit = Float((6 / Double(channels * 9)).squareRoot())
    items += [
      .init(
        name: "features.\(index).weight",
        tensor: Tensor(uniform: [width, channels, 3, 3], limit: limit, using: &weights)),
      .init(name: "features.\(index).bias", tensor: Tensor(uniform: [width], limit: 0.1, using: &bias)),
    ]
    (index, channels, parameter) = (index + 2, width, parameter + 2)
  }
  try SafetensorsWriter.write(items, metadata: [:], to: path)
}

/// Weights and batch normalisation as tools/golden/batch_norm.py draws them.
func writeSeededNormalizedVGG(_ depth: Int, to path: String) throws {
  let architecture = try #require(VGGArchitecture.vgg(depth, head: .none))
  var items: [SafetensorsWriter.Item] = []
  var (index, channels, number) = (0, 3, UInt64(0))
  for layer in architecture.layers {
    guard case .convolution(let width) = layer else {
      index += 1
      continue
    }
    func drawn(_ shape: Shape, _ limit: Float, base: Float = 0) -> Tensor {
      var random = Random(seed: 1234, stream: UInt64(1000 + depth), number)
      number += 1
      let tensor = Tensor(uniform: shape, limit: limit, using: &random)
      return Tensor(tensor.scalars.map { base + $0 }, shape)
    }
    let limit = Float((6 / Double(channels * 9)).squareRoot())
    items += [
      .init(name: "features.\(index).weight", tensor: drawn([width, channels, 3, 3], limit)),
      .init(name: "features.\(index).bias", tensor: drawn([width], 0.1)),
      .init(name: "features.\(index + 1).weight", tensor: drawn([width], 0.5, base: 1)),
      .init(name: "features.\(index + 1).bias", tensor: drawn([width], 0.2)),
      .init(name: "features.\(index + 1).running_mean", tensor: drawn([width], 0.1)),
      .init(name: "features.\(index + 1).running_var", tensor: drawn([width], 0.5, base: 1)),
      .init(name: "features.\(index + 1).num_batches_tracked", tensor: Tensor([1], [1])),
    ]
    (index, channels) = (index + 3, width)
  }
  try SafetensorsWriter.write(items, metadata: [:], to: path)
}

@Suite struct ConvolutionStackTests {
  /// torchvision's networks with batch normalisation, which is folded into the weights.
  @Test(arguments: [11, 13, 16, 19]) func normalizedNetworksAgreeWithTorchvision(depth: Int) throws {
    let golden = try SafetensorsFile(path: fixture("batch-norm.safetensors"))
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      try writeSeededNormalizedVGG(depth, to: path)
      let file = try SafetensorsFile(path: path)
      let architecture = try VGGArchitecture(weights: file)
      #expect(architecture.name == "VGG-\(depth) with batch normalisation")
      var random = Random(seed: 1234, stream: UInt64(1000 + depth), 9999)
      let images = Tensor(uniform: [1, 48, 64, 3], limit: 1, using: &random)
      let expected = try golden.tensor(named: "vgg\(depth)_bn.output")
      for caching in [WeightCaching.streamed, .resident] {
        let stack = try ConvolutionStack(
          architecture, weights: file, prefix: "", caching: caching, on: .cpu)
        #expect(relativeError(stack(images), expected) < 5e-5)
      }
    }
  }

  /// torchvision's maps on the same seeded weights, odd sizes included, on the instruction set in use.
  @Test(arguments: [11, 13, 16, 19]) func agreesWithTorchvision(depth: Int) throws {
    let golden = try SafetensorsFile(path: fixture("vgg.safetensors"))
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      try writeSeededVGG(depth, to: path)
      let architecture = try #require(VGGArchitecture.vgg(depth, head: .none))
      let stack = try ConvolutionStack(
        architecture, weights: SafetensorsFile(path: path), prefix: "", caching: .streamed, on: .cpu)
      let cases = [(1, 32, 32), (1, 48, 64), (1, 67, 45), (2, 64, 33)]
      for (index, (n, h, w)) in cases.enumerated() {
        var random = Random(seed: 1234, stream: UInt64(depth), UInt64(1000 + index))
        let images = Tensor(uniform: [n, h, w, 3], limit: 1, using: &random)
        let expected = try golden.tensor(named: "vgg\(depth).\(h)x\(w).output")
        let actual = stack(images)
        try #require(actual.shape == expected.shape)
        #expect(relativeError(actual, expected) < 2e-5, "\(h)x\(w)")
      }
      if depth == 16 {
        var random = Random(seed: 1234, stream: 16, 1004)
        let map = stack(Tensor(uniform: [1, 224, 224, 3], limit: 1, using: &random))
        let expected = try golden.tensor(named: "vgg16.224x224.compact")
        #expect(relativeError(adaptiveAveragePool(map, side: 2), expected) < 2e-5)
      }
    }
  }

  /// Rounded to bfloat16 after each layer, on the same weights: a few per cent off what torchvision gives.
  @Test(.enabled(if: Arithmetic.bfloat16.isAvailable)) func bfloatIsNear() throws {
    let golden = try SafetensorsFile(path: fixture("vgg.safetensors"))
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      try writeSeededVGG(16, to: path)
      let architecture = try #require(VGGArchitecture.vgg(16, head: .none))
      let file = try SafetensorsFile(path: path)
      var random = Random(seed: 1234, stream: 16, 1004)
      let images = Tensor(uniform: [1, 224, 224, 3], limit: 1, using: &random)
      let stack = try ConvolutionStack(
        architecture, weights: file, prefix: "", caching: .streamed,
        on: Device.cpu.multiplying(.bfloat16))
      let error = relativeError(
        adaptiveAveragePool(stack(images), side: 2), try golden.tensor(named: "vgg16.224x224.compact"))
      #expect(error > 1e-4 && error < 0.05, "\(error)")
      let prints = try [Arithmetic.float32, .bfloat16].map {
        try VGGEncoder(
          architecture, preprocessing: .torchvision, weights: file, caching: .streamed,
          on: Device.cpu.multiplying($0)
        ).fingerprint()
      }
      #expect(prints[0] != prints[1])
    }
  }

  /// Transforming once or at each call, and one thread or three, give the same bits.
  @Test func cachingAndThreadsDoNotMatter() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      try writeSeededVGG(11, to: path)
      let file = try SafetensorsFile(path: path)
      let architecture = try #require(VGGArchitecture.vgg(11, head: .none))
      var random = Random(seed: 9)
      let images = Tensor(uniform: [2, 64, 64, 3], limit: 1, using: &random)
      let maps = try [(WeightCaching.streamed, 1), (.resident, 1), (.resident, 3)].map {
        let stack = try ConvolutionStack(
          architecture, weights: file, prefix: "", caching: $0.0,
          on: Device(pool: ThreadPool(threads: $0.1)))
        _ = stack(images)
        return stack(images)
      }
      #expect(maps[0] == maps[1])
      #expect(maps[0] == maps[2])
    }
  }

  @Test func namesWhatTheFileLacks() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/small.safetensors"
      try SafetensorsWriter.write(
        [.init(name: "features.0.weight", tensor: Tensor(zeros: [8, 3, 5, 5]))], metadata: [:], to: path)
      let expected = ModelError.weights(
        .shape(path: path, key: "features.0.weight", expected: [64, 3, 3, 3], found: [8, 3, 5, 5]))
      #expect(throws: expected) {
        _ = try ConvolutionStack(
          try #require(VGGArchitecture.vgg(16, head: .none)), weights: SafetensorsFile(path: path),
          prefix: "", caching: .streamed, on: .cpu)
      }
    }
  }
}
