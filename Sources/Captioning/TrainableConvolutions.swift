public import Kernels
public import Layers
public import Tensors

/// The convolutions of a VGG network that learn: from the map at a cut to the averaged, flattened last map that the
/// head reads. The parameters have torchvision's names, `encoder.features.N.weight` and `.bias`.
public struct TrainableConvolutions: Module {
  /// The convolutions, first to last.
  public private(set) var layers: [Convolution2D]
  /// The side of the averaged last map.
  public let side: Int

  /// The convolutions after a cut, their parameters from `source`.
  public init<E: Error>(
    _ cut: VGGCut, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    layers = []
    for layer in cut.trained {
      let shape = ConvolutionShape(
        inputChannels: layer.inputChannels, outputChannels: layer.outputChannels, pool: layer.pool)
      layers.append(
        try Convolution2D("\(ModelFile.encoderPrefix)features.\(layer.index)", shape, from: source))
    }
    side = cut.architecture.head.side
  }

  /// Calls `visit` with each parameter, from the first convolution to the last, weight then bias.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    for index in layers.indices { try layers[index].visitParameters(visit) }
  }

  /// What the backward pass needs of a forward pass; its memory serves step after step, so keep it. Not for use by
  /// two threads at once, copies of it neither.
  public struct Trace: Sendable {
    fileprivate var input = Tensor(zeros: [0, 0, 0, 0])
    fileprivate var chunk = 0
    fileprivate var outputs: [Buffer] = []
    fileprivate var layers: [Convolution2D.Trace] = []
    fileprivate var gradients = (Buffer(), Buffer())
    fileprivate let workspace = ConvolutionWorkspace()

    /// Nothing traced yet.
    public init() {}
  }

  /// The height and width of each layer's input, and last of the last map.
  private func sizes(_ height: Int, _ width: Int) -> [(height: Int, width: Int)] {
    var sizes = [(height: height, width: width)]
    for layer in layers {
      sizes.append(layer.shape.outputSize(height: sizes.last!.height, width: sizes.last!.width))
    }
    return sizes
  }

  /// The averaged last maps [N, C·side²] of maps at the cut [N, H, W, C], which must survive the pools.
  /// - Parameters:
  ///   - microBatch: how many images at a time, for less memory: nothing but the input is kept, and the backward pass
  ///     computes the rest again. Without it everything is kept.
  ///   - transforming: whether the weights have changed since the last call with this trace.
  public func trainingForward(
    _ maps: Tensor, microBatch: Int? = nil, transforming: Bool = true, into trace: inout Trace,
    pool: ThreadPool = .shared
  ) -> Tensor {
    let shape = maps.shape
    precondition(shape.rank == 4 && shape[3] == layers[0].shape.inputChannels, "maps are \(shape)")
    let last = sizes(shape[1], shape[2]).last!
    precondition(last.height > 0 && last.width > 0, "maps of \(shape) don't survive the pools")
    if trace.layers.count != layers.count {
      trace.layers = layers.map { _ in Convolution2D.Trace() }
      trace.outputs = layers.map { _ in Buffer() }
    }
    if transforming {
      for (index, layer) in layers.enumerated() {
        layer.transform(into: &trace.layers[index], workspace: trace.workspace, pool: pool)
      }
    }
    trace.input = maps
    trace.chunk = max(1, min(shape[0], microBatch ?? shape[0]))
    let channels = layers.last!.shape.outputChannels
    let width = channels * side * side
    var pooled = Tensor(uninitialized: [shape[0], width])
    let destination = pooled.mutablePointer()
    for first in stride(from: 0, to: shape[0], by: trace.chunk) {
      let images = first..<min(shape[0], first + trace.chunk)
      forward(images, &trace, pool)
      adaptiveAveragePool(
        trace.outputs.last!.pointer, images: images.count, side: side, height: last.height, width: last.width,
        channels: channels, into: destination + first * width)
    }
    return pooled
  }

  private func forward(_ images: Range<Int>, _ trace: inout Trace, _ pool: ThreadPool) {
    let input = trace.input
    let sizes = sizes(input.shape[1], input.shape[2])
    for (index, layer) in layers.enumerated() {
      let after = sizes[index + 1]
      let y = trace.outputs[index].reserve(
        images.count * after.height * after.width * layer.shape.outputChannels)
      layer.forward(
        images: images.count, height: sizes[index].height, width: sizes[index].width,
        trace.input(of: index, images.lowerBound), into: y, &trace.layers[index], workspace: trace.workspace,
        pool: pool)
    }
  }

  /// Writes the gradient of every parameter, given that of the averaged last maps [N, C·side²].
  public mutating func backward(_ gradient: Tensor, _ trace: inout Trace, pool: ThreadPool = .shared) {
    let input = trace.input.shape
    let (sizes, channels) = (sizes(input[1], input[2]), layers.last!.shape.outputChannels)
    let pooled = channels * side * side
    precondition(trace.chunk > 0, "backward without a trainingForward before it")
    precondition(gradient.shape == [input[0], pooled], "\(gradient.shape) for \(input[0]) images")
    for first in stride(from: 0, to: input[0], by: trace.chunk) {
      let images = first..<min(input[0], first + trace.chunk)
      if trace.chunk < input[0] { forward(images, &trace, pool) }
      let last = sizes.last!
      adaptiveAveragePoolBackward(
        gradient.pointer + first * pooled, images: images.count, side: side, height: last.height,
        width: last.width, channels: channels,
        into: trace.gradients.0.reserve(images.count * last.height * last.width * channels))
      for index in layers.indices.reversed() {
        let (size, shape) = (sizes[index], layers[index].shape)
        let dx =
          index == 0
          ? nil : trace.gradients.1.reserve(images.count * size.height * size.width * shape.inputChannels)
        layers[index].backward(
          images: images.count, height: size.height, width: size.width, trace.input(of: index, first),
          trace.outputs[index].pointer, trace.gradients.0.pointer, into: dx, accumulate: first > 0,
          trace.layers[index], workspace: trace.workspace, pool: pool)
        trace.gradients = (trace.gradients.1, trace.gradients.0)
      }
    }
    trace.input = Tensor(zeros: [0, 0, 0, 0])
    trace.chunk = 0
  }

  /// Bytes that a step over N maps [H, W, C] takes beside the maps themselves: the transformed weights, the gradients
  /// of the parameters, the activations of `microBatch` images, two gradients of maps, and the kernels' working memory.
  public func trainingMemory(
    images: Int, height: Int, width: Int, microBatch: Int? = nil, pool: ThreadPool = .shared
  ) -> Int {
    let count = max(1, min(images, microBatch ?? images))
    let sizes = sizes(height, width)
    var (floats, bytes, largestMap, scratch) = (scalarCount, 0, 0, 0)
    for (index, layer) in layers.enumerated() {
      let (before, after, shape) = (sizes[index], sizes[index + 1], layer.shape)
      let output = count * after.height * after.width * shape.outputChannels
      floats += shape.transformedCount + output
      if shape.pool { bytes += output }
      largestMap = max(largestMap, output)
      scratch = max(
        scratch,
        trainingScratchCount(
          images: count, height: before.height, width: before.width, shape: shape, threads: pool.threads))
    }
    return bytes + 4 * (floats + 2 * largestMap + scratch)
  }
}

extension TrainableConvolutions.Trace {
  /// What layer `index` reads: the image's input map, or the layer before's output.
  fileprivate func input(of index: Int, _ image: Int) -> UnsafePointer<Float> {
    index > 0
      ? outputs[index - 1].pointer : input.pointer + image * input.shape.dimensions.dropFirst().reduce(1, *)
  }
}
