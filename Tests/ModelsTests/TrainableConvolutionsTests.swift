import Models
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

/// Weights as tools/golden/vgg.py draws them for VGG-16, by the paths that a model file has.
private struct SeededVGG16 {
  private var streams: [String: UInt64] = [:]

  init() {
    var (index, parameter) = (0, UInt64(0))
    for layer in VGGArchitecture.vgg(16, head: .compact)!.layers {
      if layer != .pool {
        streams["encoder.features.\(index).weight"] = parameter
        streams["encoder.features.\(index).bias"] = parameter + 1
        (index, parameter) = (index + 1, parameter + 2)
      }
      index += 1
    }
  }

  func callAsFunction(_ parameter: ParameterSpecification) -> Tensor {
    var random = Random(seed: 1234, stream: 16, streams[parameter.path]!)
    let shape = parameter.shape
    let limit = shape.rank == 1 ? 0.1 : Float((6 / Double(shape[1] * 9)).squareRoot())
    return Tensor(uniform: shape, limit: limit, using: &random)
  }
}

@Suite struct TrainableConvolutionsTests {
  /// PyTorch's gradients of the whole of VGG-16; then those from conv4_1 on, on top of frozen layers.
  @Test func gradientsAgreeWithTorch() throws {
    let golden = try SafetensorsFile(path: fixture("fine-tune.safetensors"))
    let architecture = try #require(VGGArchitecture.vgg(16, head: .compact))
    var random = Random(seed: 1234, stream: 16, 3002)
    let images = Tensor(uniform: [2, 32, 32, 3], limit: 1, using: &random)
    random = Random(seed: 1234, stream: 16, 2001)
    let gradient = Tensor(uniform: [2, 2048], limit: 1, using: &random)
    let source = SeededVGG16()
    try withTemporaryFolder { folder in
      for name in ["conv1_1", "conv4_1"] {
        let cut = try #require(architecture.cut(before: name))
        var maps = images
        if let frozen = cut.frozen {
          let path = folder + "/vgg.safetensors"
          try writeSeededVGG(16, to: path)
          maps = try ConvolutionStack(
            frozen, weights: SafetensorsFile(path: path), prefix: "", caching: .streamed, on: .cpu)(
              images)
        }
        #expect(maps.row(0).shape == cut.mapShape(height: 32, width: 32))
        var convolutions = TrainableConvolutions(cut, from: source.callAsFunction)
        var trace = TrainableConvolutions.Trace()
        _ = convolutions.trainingForward(maps, into: &trace, on: .cpu)
        convolutions.backward(gradient, &trace, on: .cpu)
        #expect(convolutions.parameters.count == (name == "conv1_1" ? 26 : 12))
        for parameter in convolutions.parameters {
          let key = String(parameter.path.dropFirst("encoder.features.".count))
          let found = try #require(parameter.gradient).scalars
          let expected = try golden.tensor(named: key).scalars
          let sampled = expected.indices.map { found[($0 * 7919 + 13) % found.count] }
          #expect(relativeError(sampled, expected) < 1e-4, "\(name): \(key)")
          let sums = try golden.tensor(named: key + ".sums")
          let norm = found.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
          #expect(abs(norm / Double(sums[0]) - 1) < 1e-4, "\(name): \(key)")
          let sum = found.reduce(0.0) { $0 + Double($1) }
          #expect(
            abs(sum - Double(sums[1])) < 1e-4 * norm * Double(found.count).squareRoot(), "\(name): \(key)")
        }
      }
    }
  }

  /// A few images at a time, computed twice, give what all at once give; more threads give the same bits.
  @Test func microBatchesAndThreadsDoNotMatter() throws {
    let table = try #require(VGGArchitecture(table: "16,pool,20,20,pool,24", head: .compact))
    let cut = try #require(table.cut(before: "conv2_1"))
    var random = Random(seed: 3)
    let start = TrainableConvolutions(cut) { $0.untrained(using: &random) }
    let maps = Tensor(uniform: [5, 13, 10, 16], limit: 1, using: &random)
    let gradient = Tensor(uniform: [5, 96], limit: 1, using: &random)
    var results: [(pooled: Tensor, gradients: [Tensor])] = []
    for (microBatch, threads) in [(Int?.none, 1), (nil, 3), (2, 1), (2, 3), (9, 1)] {
      var convolutions = start
      var trace = TrainableConvolutions.Trace()
      let device = Device(pool: ThreadPool(threads: threads))
      // The second step is on memory that the first left behind.
      for step in 0..<2 {
        let pooled = convolutions.trainingForward(
          maps, microBatch: microBatch, transforming: step == 0, into: &trace, on: device)
        convolutions.backward(gradient, &trace, on: device)
        if step == 1 { results.append((pooled, convolutions.parameters.map { $0.gradient! })) }
      }
    }
    #expect(results[0].pooled.shape == [5, 96])
    #expect(results.map(\.gradients.count) == [6, 6, 6, 6, 6])
    for (index, other) in results.enumerated() {
      #expect(relativeError(other.pooled, results[0].pooled) < 1e-5)
      for (a, b) in zip(other.gradients, results[0].gradients) {
        #expect(relativeError(a, b) < 1e-5, "\(index)")
        if index == 1 || index == 4 { #expect(a == b) }
      }
    }
    #expect(results[2].gradients == results[3].gradients)
    let whole = start.trainingMemory(images: 64, height: 56, width: 56, on: .cpu)
    #expect(start.trainingMemory(images: 64, height: 56, width: 56, microBatch: 8, on: .cpu) < whole / 4)
  }

  /// With batch normalisation that goes by its running statistics, as frozen layers do and micro-batches must; by those of
  /// the batch the running ones follow.
  @Test func normalizedConvolutions() throws {
    var table = try #require(VGGArchitecture(table: "16,pool,20,20,pool,24", head: .compact))
    table.batchNormalization = true
    let cut = try #require(table.cut(before: "conv2_1"))
    var random = Random(seed: 3)
    var start = TrainableConvolutions(cut) { $0.untrained(using: &random) }
    start.visitParameters {
      if $0.path.hasSuffix("running_mean") {
        $0.value = Tensor(uniform: $0.value.shape, limit: 0.5, using: &random)
      }
    }
    #expect(
      start.isNormalized
        && start.scalarCount == start.parameters.reduce(0) { $0 + ($1.learns ? $1.value.count : 0) })
    let maps = Tensor(uniform: [5, 13, 10, 16], limit: 1, using: &random)
    let gradient = Tensor(uniform: [5, 96], limit: 1, using: &random)
    var results: [(pooled: Tensor, gradients: [Tensor])] = []
    for microBatch in [nil, 2] {
      var convolutions = start
      var trace = TrainableConvolutions.Trace()
      let pooled = convolutions.trainingForward(maps, microBatch: microBatch, into: &trace, on: .cpu)
      convolutions.follow(trace)
      convolutions.backward(gradient, &trace, on: .cpu)
      #expect(convolutions.parameters.map(\.value) == start.parameters.map(\.value))
      results.append((pooled, convolutions.parameters.compactMap(\.gradient)))
    }
    #expect(results[0].gradients.count == 12 && relativeError(results[1].pooled, results[0].pooled) < 1e-5)
    for (a, b) in zip(results[0].gradients, results[1].gradients) { #expect(relativeError(a, b) < 1e-4) }
    // What inference makes of the same weights.
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      let parameters = TrainableConvolutions(try #require(table.cut(before: "conv1_1"))) {
        $0.untrained(using: &random)
      }.parameters
      let learned = Dictionary(uniqueKeysWithValues: start.parameters.map { ($0.path, $0.value) })
      try SafetensorsWriter.write(
        parameters.map { .init(name: $0.path, tensor: learned[$0.path] ?? $0.value) }, metadata: [:], to: path
      )
      let file = try SafetensorsFile(path: path)
      let images = Tensor(uniform: [2, 26, 20, 3], limit: 1, using: &random)
      let frozen = try ConvolutionStack(
        try #require(cut.frozen), weights: file, prefix: "encoder.", caching: .streamed, on: .cpu)
      let whole = try ConvolutionStack(
        table, weights: file, prefix: "encoder.", caching: .resident, on: .cpu)
      var trace = TrainableConvolutions.Trace()
      let last = start.lastMaps(frozen(images), into: &trace, on: .cpu)
      #expect(relativeError(last, whole(images)) < 1e-5)
      _ = start.lastMaps(frozen(images), .batch, into: &trace, on: .cpu)
      var followed = start
      followed.follow(trace)
      let moved = zip(followed.parameters, start.parameters).filter { $0.value != $1.value }.map(\.0.path)
      #expect(moved.count == 6 && moved.allSatisfy { $0.contains("running_") })
    }
  }

  @Test func cutsAreNamedAsInThePaper() throws {
    let vgg = try #require(VGGArchitecture.vgg(16, head: .compact))
    #expect(vgg.convolutionNames.count == 13 && vgg.convolutionNames.last == "conv5_3")
    let cut = try #require(vgg.cut(before: "conv4_2"))
    #expect(cut.frozen?.table == "64,64,pool,128,128,pool,256,256,256,pool,512")
    #expect(cut.mapShape(height: 224, width: 224) == [28, 28, 512])
    #expect(vgg.cut(before: "conv5_1")?.mapShape(height: 224, width: 224) == [14, 14, 512])
    #expect(vgg.cut(before: "conv1_1")?.frozen == nil)
    #expect(vgg.cut(before: "conv6_1") == nil && vgg.cut(before: "") == nil)
    #expect(VGGArchitecture(table: "4,pool,pool,4", head: .compact)?.cut(before: "conv1_1") == nil)
    let paths = TrainableConvolutions(cut) { Tensor(zeros: $0.shape) }.parameters.map(\.path)
    #expect(paths.first == "encoder.features.19.weight" && paths.last == "encoder.features.28.bias")
  }
}
