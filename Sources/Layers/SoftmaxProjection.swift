public import Kernels
public import Tensors

/// The projection on the vocabulary and its cross-entropy, fused: logits = h Wᵀ + b, W [V, H];
/// loss = −Σ log softmax(logits)[target].
///
/// Logits are made for a block of positions at a time, and in training their gradients and those of h, W and b are
/// taken before the next block overwrites them: memory does not grow with the batch.
public struct SoftmaxProjection: Module {
  /// W and b.
  public var linear: Linear

  /// `path`.weight small enough at first that all words are about equally likely, loss ≈ ln V; `path`.bias zero.
  public init<E: Error>(
    _ path: String, hidden: Int, vocabularySize: Int,
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    linear = try Linear(path, inputs: hidden, outputs: vocabularySize, gain: 0.5, from: source)
  }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try linear.visitParameters(visit)
  }

  /// Positions in a block: enough for the products to run at full speed.
  static let block = 512

  /// Scratch memory, kept between batches.
  public struct Trace: Sendable {
    var logits = Buffer()
    var dropped = Buffer()
    var biasSums = Buffer()

    /// Nothing yet.
    public init() {}
  }

  /// log softmax(logits)[target] of each of P positions, natural logarithms; h is [P, H].
  public func forward(
    _ h: Matrix, targets: [Int32], trace: inout Trace, on device: Device
  ) -> [Float] {
    var logProbabilities = [Float](repeating: 0, count: targets.count)
    let logits = trace.logits.reserve(min(targets.count, Self.block), linear.outputs)
    for block in Self.blocks(of: targets.count) {
      let logits = logits.rows(0..<block.count)
      linear.product(h.rows(block), into: logits, on: device)
      crossEntropy(logits, targets, block, .none, &logProbabilities, device)
    }
    return logProbabilities
  }

  /// The same with h under dropout, then backwards: writes the gradients of W and b, and `dh` [P, H]
  /// (may be `h`), as `gradient` says.
  ///
  ///     δlogits = (softmax − target)·scale,  δW = Σ δlogitsᵀ h,  δb = Σ δlogits,  δh = δlogits W
  public mutating func forwardBackward(
    _ h: Matrix, targets: [Int32], dropout: Dropout, gradient: CrossEntropyGradient, dh: MutableMatrix,
    trace: inout Trace, on device: Device
  ) -> [Float] {
    let (size, words) = (linear.inputs, linear.outputs)
    var logProbabilities = [Float](repeating: 0, count: targets.count)
    let logits = trace.logits.reserve(min(targets.count, Self.block), words)
    let dropped = trace.dropped.reserve(min(targets.count, Self.block), size)
    let sums = trace.biasSums.reserve(words)
    let dW = MutableMatrix(linear.weight.gradientPointer(), rows: words, columns: size)
    let db = linear.bias?.gradientPointer()
    db?.update(repeating: 0, count: words)
    for block in Self.blocks(of: targets.count) {
      let logits = logits.rows(0..<block.count)
      let dropped = dropped.rows(0..<block.count)
      let dh = dh.rows(block)
      dropout.apply(h.rows(block), into: dropped, firstRow: block.lowerBound, on: device)
      linear.product(Matrix(dropped), into: logits, on: device)
      crossEntropy(logits, targets, block, gradient.rows(block), &logProbabilities, device)
      multiply(
        .transposed(Matrix(logits)), .plain(Matrix(dropped)), into: dW, beta: block.lowerBound == 0 ? 0 : 1,
        on: device)
      if let db {
        columnSums(Matrix(logits), into: sums, on: device)
        addScaled(count: words, 1, sums, to: db, on: device)
      }
      linear.inputGradient(Matrix(logits), into: dh, on: device)
      dropout.apply(Matrix(dh), into: dh, firstRow: block.lowerBound, on: device)
    }
    return logProbabilities
  }

  /// The positions, some at a time.
  private static func blocks(of positions: Int) -> [Range<Int>] {
    stride(from: 0, to: positions, by: block).map { $0..<min(positions, $0 + block) }
  }

  private func crossEntropy(
    _ logits: MutableMatrix, _ targets: [Int32], _ block: Range<Int>, _ gradient: CrossEntropyGradient,
    _ logProbabilities: inout [Float], _ device: Device
  ) {
    targets.withUnsafeBufferPointer { targets in
      logProbabilities.withUnsafeMutableBufferPointer { logProbabilities in
        softmaxCrossEntropy(
          logits, bias: linear.bias?.value.pointer, targets: targets.baseAddress! + block.lowerBound,
          gradient: gradient, into: logProbabilities.baseAddress! + block.lowerBound, on: device)
      }
    }
  }
}
