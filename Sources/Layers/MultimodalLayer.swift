public import Kernels
public import Tensors

/// The layer in which word, state and image meet (m-RNN, Mao et al. 2015), outside of any recurrence:
///
///     m = g(V_w x + V_r h + V_I v + b),  g(s) = 1.7159·tanh(2s/3)
///
/// g is LeCun's scaled hyperbolic tangent (1998): g(±1) = ±1. V_I v + b is computed once an image.
public struct MultimodalLayer: Module {
  /// V_w [M, E].
  public var word: Linear
  /// V_r [M, H].
  public var state: Linear
  /// V_I [M, D], b [M].
  public var image: Linear

  /// The sizes of the layer.
  public struct Sizes: Sendable, Equatable {
    /// E, of a word.
    public var word: Int
    /// H, of a state.
    public var state: Int
    /// D, of v.
    public var image: Int
    /// M, of what they are together.
    public var outputs: Int

    /// Sizes of at least 1.
    public init(word: Int, state: Int, image: Int, outputs: Int) {
      self.word = word
      self.state = state
      self.image = image
      self.outputs = outputs
    }
  }

  /// `path`.word_to_multimodal, .hidden_to_multimodal and .image_to_multimodal.
  public init<E: Error>(
    _ path: String, _ sizes: Sizes, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    word = try Linear(
      path + ".word_to_multimodal", inputs: sizes.word, outputs: sizes.outputs, bias: false, from: source)
    state = try Linear(
      path + ".hidden_to_multimodal", inputs: sizes.state, outputs: sizes.outputs, bias: false, from: source)
    // Of a small start: training begins almost blind.
    image = try Linear(
      path + ".image_to_multimodal", inputs: sizes.image, outputs: sizes.outputs, gain: 0.5, from: source)
  }

  /// M.
  public var outputs: Int { image.outputs }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try word.visitParameters(visit)
    try state.visitParameters(visit)
    try image.visitParameters(visit)
  }

  /// V_I v + b [N, M] of N images.
  public func context(of images: ImageFeatures, on device: Device) -> Tensor {
    precondition(images.v.shape[1] == image.inputs, "v is \(images.v.shape)")
    var sums = Tensor(uninitialized: [images.count, outputs])
    withExtendedLifetime(images) {
      image.forward(images.v.matrix, into: sums.mutableMatrix(), on: device)
    }
    images.clearUnseen(sums.mutableMatrix())
    return sums
  }

  /// m of some rows [rows, M].
  /// - Parameters:
  ///   - x: [rows, E].
  ///   - h: [rows, H].
  ///   - images: the image of each row, a row of the context.
  public func forward(
    _ x: Matrix, _ h: Matrix, images: UnsafeBufferPointer<Int32>, _ context: Tensor, into m: MutableMatrix,
    on device: Device
  ) {
    word.product(x, into: m, on: device)
    multiply(.plain(h), .transposed(state.weight.value.matrix), into: m, beta: 1, on: device)
    withExtendedLifetime(context) { addRows(images, of: context.matrix, to: m, on: device) }
    for row in 0..<m.rows {
      for column in 0..<m.columns { m[row][column] *= Self.slope }
    }
    tanhRows(Matrix(m), into: m, on: device)
    for row in 0..<m.rows {
      for column in 0..<m.columns { m[row][column] *= Self.height }
    }
  }

  /// Of g: what it approaches, and what its argument is multiplied by.
  private static let height: Float = 1.7159
  private static let slope: Float = 2.0 / 3

  /// The gradient's memory.
  public struct Trace: Sendable {
    var images = Buffer()
    /// Nothing traced yet.
    public init() {}
  }

  /// The backward pass of P positions: writes the gradients of the parameters.
  /// - Parameters:
  ///   - read: x [P, E] and h [P, H], as in the forward pass.
  ///   - m: what that made of them [P, M].
  ///   - gradients: δm [P, M], overwritten with the gradient of the sums, which `addWordGradient` takes, and memory [P, H]
  ///     that is overwritten with δh.
  ///   - places: the image of each position.
  /// - Returns: δv.
  public mutating func backward(
    of images: ImageFeatures, at places: [Int32], _ read: (x: Matrix, h: Matrix), _ m: Matrix,
    gradients: (dm: MutableMatrix, dh: MutableMatrix), trace: inout Trace, on device: Device
  ) -> Tensor {
    let (sums, dh) = gradients
    for row in 0..<sums.rows {
      for column in 0..<sums.columns {
        let share = m[row][column] / Self.height
        sums[row][column] *= Self.height * Self.slope * (1 - share * share)
      }
    }
    word.backward(read.x, Matrix(sums), on: device)
    state.backward(read.h, Matrix(sums), into: dh, on: device)
    let ofImages = trace.images.reserve(images.count, outputs)
    scatterAdd(Matrix(sums), to: places, into: ofImages, on: device)
    images.clearUnseen(ofImages)
    var dv = Tensor(uninitialized: images.v.shape)
    withExtendedLifetime(images) {
      image.backward(images.v.matrix, Matrix(ofImages), into: dv.mutableMatrix(), on: device)
    }
    return dv
  }

  /// δx += δsums V_w.
  public func addWordGradient(_ sums: Matrix, to dx: MutableMatrix, on device: Device) {
    multiply(.plain(sums), .plain(word.weight.value.matrix), into: dx, beta: 1, on: device)
  }
}
