public import Kernels
public import Layers
public import Tensors

/// The convolutions of a VGG network that learn: from the map at a cut to the averaged, flattened last map that the
/// head reads. The parameters have torchvision's names, `encoder.features.N.weight` and `.bias`, and those of batch
/// normalisation, if the network has it.
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
      let descriptor = ConvolutionDescriptor(
        inputChannels: layer.inputChannels, outputChannels: layer.outputChannels, pool: layer.pool)
      func path(_ index: Int) -> String { "\(ModelFile.encoderPrefix)features.\(index)" }
      layers.append(
        try Convolution2D(
          path(layer.index), descriptor,
          normalization: cut.architecture.batchNormalization ? path(layer.index + 1) : nil, from: source))
    }
    side = cut.architecture.head.side
  }

  /// Calls `visit` with each parameter, from the first convolution to the last, weight then bias.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    for index in layers.indices { try layers[index].visitParameters(visit) }
  }

  /// Whether they have batch normalisation.
  public var isNormalized: Bool { layers.contains { $0.normalization != nil } }

  /// Moves the running statistics of batch normalisation towards those of the batch that the last forward pass saw, if it
  /// went by them.
  public mutating func follow(_ trace: Trace) {
    for index in layers.indices { layers[index].follow(trace.layers[index]) }
  }

  /// What the backward pass needs of a forward pass; its memory serves step after step, so keep it. Not for use by
  /// two threads at once, copies of it neither.
  public struct Trace: Sendable {
    fileprivate var input = Tensor(zeros: [0, 0, 0, 0])
    fileprivate var chunk = 0
    fileprivate var statistics = BatchNormalization.Statistics.running
    fileprivate var outputs: [Buffer] = []
    fileprivate var layers: [Convolution2D.Trace] = []
    fileprivate var gradients = (Buffer(), Buffer())
    fileprivate let workspace = ConvolutionWorkspace()

    /// Nothing traced yet.
    public init() {}
  }

  /// The shape of each layer's input, and last of the last map.
  private func shapes(of maps: MapShape) -> [MapShape] {
    var shapes = [maps]
    for layer in layers { shapes.append(layer.descriptor.output(of: shapes.last!)) }
    return shapes
  }

  /// The averaged last maps [N, C·side²] of maps at the cut [N, H, W, C], which must survive the pools.
  /// - Parameters:
  ///   - microBatch: how many images at a time, for less memory: nothing but the input is kept, and the backward pass
  ///     computes the rest again. Without it everything is kept.
  ///   - statistics: those that batch normalisation goes by; those of a batch want all of its images at once.
  ///   - transforming: whether the weights have changed since the last call with this trace.
  public func trainingForward(
    _ maps: Tensor, microBatch: Int? = nil, _ statistics: BatchNormalization.Statistics = .running,
    transforming: Bool = true, into trace: inout Trace, on device: Device
  ) -> Tensor {
    adaptiveAveragePool(
      lastMaps(
        maps, microBatch: microBatch, statistics, transforming: transforming, into: &trace, on: device),
      side: side)
  }

  /// The same not yet averaged: [N, h, w, C].
  public func lastMaps(
    _ maps: Tensor, microBatch: Int? = nil, _ statistics: BatchNormalization.Statistics = .running,
    transforming: Bool = true, into trace: inout Trace, on device: Device
  ) -> Tensor {
    let shape = MapShape(maps.shape)
    precondition(shape.channels == layers[0].descriptor.inputChannels, "maps are \(shape)")
    let last = shapes(of: shape).last!
    precondition(last.height > 0 && last.width > 0, "maps of \(shape) don't survive the pools")
    if trace.layers.count != layers.count {
      trace.layers = layers.map { _ in Convolution2D.Trace() }
      trace.outputs = layers.map { _ in Buffer() }
    }
    if transforming {
      for (index, layer) in layers.enumerated() {
        layer.transform(into: &trace.layers[index], workspace: trace.workspace, on: device)
      }
    }
    trace.input = maps
    trace.chunk = max(1, min(shape.images, microBatch ?? shape.images))
    trace.statistics = statistics
    precondition(
      !isNormalized || statistics == .running || trace.chunk >= shape.images,
      "statistics of \(trace.chunk) images of \(shape.images)")
    var result = Tensor(uninitialized: [shape.images, last.height, last.width, last.channels])
    let memory = result.mutablePointer()
    for first in stride(from: 0, to: shape.images, by: trace.chunk) {
      let images = first..<min(shape.images, first + trace.chunk)
      let last = forward(images, &trace, device)
      (memory + first * last.shape.imageCount).update(from: last[0], count: last.shape.count)
    }
    return result
  }

  /// The last maps of some of the images.
  @discardableResult
  private func forward(_ images: Range<Int>, _ trace: inout Trace, _ device: Device) -> Maps {
    var x = trace.input.maps.images(images)
    for (index, layer) in layers.enumerated() {
      let y = trace.outputs[index].reserve(layer.descriptor.output(of: x.shape))
      layer.forward(
        x, trace.statistics, into: y, &trace.layers[index], workspace: trace.workspace, on: device)
      x = Maps(y)
    }
    return x
  }

  /// Writes the gradient of every parameter, given that of the averaged last maps [N, C·side²].
  public mutating func backward(_ gradient: Tensor, _ trace: inout Trace, on device: Device) {
    let last = shapes(of: MapShape(trace.input.shape)).last!
    var maps = Tensor(uninitialized: [last.images, last.height, last.width, last.channels])
    adaptiveAveragePoolBackward(
      gradient.matrix, side: side, into: MutableMaps(maps.mutablePointer(), last))
    backward(maps: maps, &trace, on: device)
  }

  /// The same, given the gradient of the last maps [N, h, w, C].
  public mutating func backward(maps gradient: Tensor, _ trace: inout Trace, on device: Device) {
    let input = MapShape(trace.input.shape)
    precondition(trace.chunk > 0, "backward without a forward pass before it")
    for first in stride(from: 0, to: input.images, by: trace.chunk) {
      let images = first..<min(input.images, first + trace.chunk)
      if trace.chunk < input.images { forward(images, &trace, device) }
      let part = trace.input.maps.images(images)
      let shapes = shapes(of: part.shape)
      let last = shapes[layers.count]
      trace.gradients.0.reserve(last.count).update(
        from: gradient.pointer + first * last.imageCount, count: last.count)
      for index in layers.indices.reversed() {
        let x = index == 0 ? part : Maps(trace.outputs[index - 1].pointer, shapes[index])
        let dx = index == 0 ? nil : trace.gradients.1.reserve(shapes[index].count)
        layers[index].backward(
          x, OutputGradient(trace.gradients.0.pointer, output: trace.outputs[index].pointer), into: dx,
          accumulate: first > 0, &trace.layers[index], workspace: trace.workspace, on: device)
        trace.gradients = (trace.gradients.1, trace.gradients.0)
      }
    }
    trace.input = Tensor(zeros: [0, 0, 0, 0])
    trace.chunk = 0
  }

  /// Bytes that a step over maps [N, H, W, C] takes beside the maps themselves: the transformed weights, the gradients
  /// of the parameters, the activations of `microBatch` images, two gradients of maps, and the kernels' working memory.
  public func trainingMemory(
    images: Int, height: Int, width: Int, microBatch: Int? = nil, on device: Device
  ) -> Int {
    var x = MapShape(
      images: max(1, min(images, microBatch ?? images)), height: height, width: width,
      channels: layers[0].descriptor.inputChannels)
    var floats = scalarCount
    var bytes = 0
    var largestMap = 0
    var scratch = 0
    for layer in layers {
      let y = layer.descriptor.output(of: x)
      floats += layer.descriptor.transformedCount + y.count
      if layer.normalization != nil {
        // Sums, their gradient and what ReLU leaves of them before a pool.
        floats += (layer.descriptor.pool ? 3 : 2) * layer.descriptor.linear.output(of: x).count
      }
      if layer.descriptor.pool { bytes += y.count }
      largestMap = max(largestMap, y.count)
      scratch = max(scratch, trainingScratchCount(x, layer.descriptor, on: device))
      x = y
    }
    return bytes + 4 * (floats + 2 * largestMap + scratch)
  }
}
