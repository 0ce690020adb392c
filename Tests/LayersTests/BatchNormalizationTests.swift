import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

/// Convolutions with batch normalisation, against PyTorch (tools/golden/batch_norm.py) and central differences.
@Suite struct BatchNormalizationTests {
  /// A convolution, its passes, and what they need.
  private struct Passes {
    var layer: Convolution2D
    var trace = Convolution2D.Trace()
    let workspace = ConvolutionWorkspace()
    let device: Device

    init(_ layer: Convolution2D, on device: Device = .cpu) {
      self.layer = layer
      self.device = device
    }

    mutating func forward(_ x: Tensor, _ statistics: BatchNormalization.Statistics) -> Tensor {
      let shape = layer.descriptor.output(of: x.maps.shape)
      var y = Tensor(zeros: [shape.images, shape.height, shape.width, shape.channels])
      layer.transform(into: &trace, workspace: workspace, on: device)
      layer.forward(
        x.maps, statistics, into: y.mutableMaps(), &trace, workspace: workspace, on: device)
      return y
    }

    /// δx.
    mutating func backward(_ x: Tensor, _ y: Tensor, _ dy: Tensor) -> Tensor {
      var dx = Tensor(uninitialized: x.shape)
      layer.backward(
        x.maps, OutputGradient(dy.pointer, output: y.pointer), into: dx.mutablePointer(), &trace,
        workspace: workspace, on: device)
      return dx
    }
  }

  private static let keys = [
    "l.weight": "weight", "l.bias": "bias", "n.weight": "gamma", "n.bias": "beta",
    "n.running_mean": "running_mean", "n.running_var": "running_var",
  ]

  @Test(arguments: ["winograd", "winograd.pool", "direct", "direct.pool"])
  func agreesWithTorch(name: String) throws {
    let file = try SafetensorsFile(path: fixture("batch-norm.safetensors"))
    func golden(_ key: String) throws -> Tensor { try file.tensor(named: "\(name).\(key)") }
    let x = try golden("x")
    let dy = try golden("dy")
    let descriptor = ConvolutionDescriptor(
      inputChannels: x.shape[3], outputChannels: dy.shape[3], pool: name.hasSuffix("pool"))
    var passes = Passes(
      try Convolution2D("l", descriptor, normalization: "n") {
        try golden(Self.keys[$0.path] ?? "").reshaped($0.shape)
      })
    func expectGradients(_ prefix: String, _ dx: Tensor) throws {
      #expect(relativeError(dx, try golden(prefix + "gradient.x")) < 1e-4, "\(prefix)")
      for parameter in passes.layer.parameters where parameter.learns {
        let expected = try golden(prefix + "gradient." + (Self.keys[parameter.path] ?? ""))
        let found = try #require(parameter.gradient)
        if parameter.path == "l.bias" && prefix.isEmpty {
          // The mean of the batch takes it away again: both are rounding.
          #expect(absoluteError(found.scalars, expected.scalars) < 1e-4)
        } else {
          #expect(relativeError(found, expected) < 1e-4, "\(prefix)\(parameter.path)")
        }
      }
    }
    let y = passes.forward(x, .batch)
    passes.layer.follow(passes.trace)
    #expect(relativeError(y, try golden("y")) < 1e-5)
    try expectGradients("", passes.backward(x, y, dy))
    _ = passes.forward(try golden("x2"), .batch)
    passes.layer.follow(passes.trace)
    let normalization = try #require(passes.layer.normalization)
    let after = (try golden("after.running_mean"), try golden("after.running_var"))
    #expect(relativeError(normalization.runningMean.value, after.0) < 1e-5)
    #expect(relativeError(normalization.runningVariance.value, after.1) < 1e-5)
    #expect(normalization.runningMean.gradient == nil && normalization.runningVariance.gradient == nil)
    let evaluated = passes.forward(x, .running)
    passes.layer.follow(passes.trace)
    #expect(passes.layer.normalization?.runningMean.value == normalization.runningMean.value)
    #expect(relativeError(evaluated, try golden("running.y")) < 1e-5)
    try expectGradients("running.", passes.backward(x, evaluated, dy))
  }

  /// Every gradient by statistics of either kind; β keeps most channels off ReLU's corner. Many rows and any number of
  /// threads give the same bits.
  @Test(arguments: [BatchNormalization.Statistics.batch, .running], [false, true])
  func gradientsAreSlopes(statistics: BatchNormalization.Statistics, pools: Bool) {
    var random = Random(seed: 11)
    let descriptor = ConvolutionDescriptor(inputChannels: 16, outputChannels: 6, pool: pools)
    var layer = Convolution2D("l", descriptor, normalization: "n") { $0.untrained(using: &random) }
    layer.normalization!.bias.value = Tensor([6, -6, 6, 6, -6, 6], [6])
    layer.normalization!.runningMean.value = Tensor(uniform: [6], limit: 0.3, using: &random)
    let x = Tensor(uniform: [3, 12, 13, 16], limit: 1, using: &random)
    let start = layer
    var results: [[Tensor]] = []
    let shape = descriptor.output(of: x.maps.shape)
    let dy = Tensor(
      uniform: [shape.images, shape.height, shape.width, shape.channels], limit: 1, using: &random)
    var dx = x
    for threads in [1, 3] {
      var passes = Passes(start, on: Device(pool: ThreadPool(threads: threads)))
      let y = passes.forward(x, statistics)
      dx = passes.backward(x, y, dy)
      passes.layer.follow(passes.trace)
      results.append([y, dx] + passes.layer.parameters.flatMap { [$0.value, $0.gradient ?? $0.value] })
      layer = passes.layer
    }
    #expect(results[0] == results[1])
    func loss(_ layer: Convolution2D, _ x: Tensor) -> Double {
      var passes = Passes(layer)
      return zip(passes.forward(x, statistics).scalars, dy.scalars)
        .reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    // Pools have corners: the comparison with PyTorch is the finer one.
    let (step, tolerance): (Float, Double) = pools ? (0.003, 5e-2) : (0.1, 5e-3)
    #expect(gradientDisagreement(dx, at: x, step: step) { loss(start, $0) } < tolerance)
    for parameter in layer.parameters where parameter.learns {
      if parameter.path == "l.bias" && statistics == .batch { continue }
      let value = start.parameters.first { $0.path == parameter.path }!.value
      let error = gradientDisagreement(parameter.gradient!, at: value, step: step) { value in
        var moved = start
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        return loss(moved, x)
      }
      #expect(error < tolerance, "\(parameter.path)")
    }
  }

  /// A single pixel has no unbiased variance, and nothing to normalise: β is what is left.
  @Test func aSinglePixel() {
    var random = Random(seed: 2)
    let descriptor = ConvolutionDescriptor(inputChannels: 16, outputChannels: 4, pool: false)
    var passes = Passes(
      Convolution2D("l", descriptor, normalization: "n") { $0.untrained(using: &random) })
    passes.layer.normalization!.bias.value = Tensor([1, 2, 3, 4], [4])
    let x = Tensor(uniform: [1, 1, 1, 16], limit: 1, using: &random)
    let y = passes.forward(x, .batch)
    #expect(absoluteError(y.scalars, [1, 2, 3, 4]) < 1e-3)
    passes.layer.follow(passes.trace)
    let dx = passes.backward(x, y, Tensor(repeating: 1, y.shape))
    #expect(dx.scalars.allSatisfy { abs($0) < 1e-3 })
    #expect(passes.layer.parameters.allSatisfy { $0.value.scalars.allSatisfy(\.isFinite) })
  }
}
