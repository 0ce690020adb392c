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
    var (logits, dropped, biasSums) = (Buffer(), Buffer(), Buffer())

    /// Nothing yet.
    public init() {}
  }

  /// log softmax(logits)[target] of each of P positions, natural logarithms; h is [P, H].
  public func forward(
    _ h: UnsafePointer<Float>, targets: [Int32], trace: inout Trace, pool: ThreadPool = .shared
  ) -> [Float] {
    let (size, words) = (linear.inputs, linear.outputs)
    var logProbabilities = [Float](repeating: 0, count: targets.count)
    let logits = trace.logits.reserve(min(targets.count, Self.block) * words)
    for from in stride(from: 0, to: targets.count, by: Self.block) {
      let rows = min(Self.block, targets.count - from)
      linear.product(rows: rows, h + from * size, into: logits, pool: pool)
      entropy(rows, from, logits, targets, scale: 0, 0, nil, &logProbabilities, pool)
    }
    return logProbabilities
  }

  /// The same with h under dropout, then backwards: writes the gradients of W and b, and `dh` [P, H]
  /// (may be `h`), for the loss times `scale`. `labelSmoothing` is the share of a target's probability that is spread
  /// over all words.
  ///
  ///     δlogits = (softmax − target)·scale,  δW = Σ δlogitsᵀ h,  δb = Σ δlogits,  δh = δlogits W
  public mutating func forwardBackward(
    _ h: UnsafePointer<Float>, targets: [Int32], dropout: Dropout, labelSmoothing: Float = 0, scale: Float,
    weights: [Float]? = nil,
    dh: UnsafeMutablePointer<Float>, trace: inout Trace, pool: ThreadPool = .shared
  ) -> [Float] {
    let (size, words) = (linear.inputs, linear.outputs)
    var logProbabilities = [Float](repeating: 0, count: targets.count)
    let logits = trace.logits.reserve(min(targets.count, Self.block) * words)
    let dropped = trace.dropped.reserve(min(targets.count, Self.block) * size)
    let sums = trace.biasSums.reserve(words)
    let (dW, db) = (linear.weight.gradientPointer(), linear.bias?.gradientPointer())
    db?.update(repeating: 0, count: words)
    for from in stride(from: 0, to: targets.count, by: Self.block) {
      let rows = min(Self.block, targets.count - from)
      dropout.apply(firstRow: from, rows: rows, columns: size, h + from * size, into: dropped, pool: pool)
      linear.product(rows: rows, dropped, into: logits, pool: pool)
      entropy(rows, from, logits, targets, scale: scale, labelSmoothing, weights, &logProbabilities, pool)
      gemm(
        m: words, n: size, k: rows, logits, lda: words, transposeA: true, dropped, ldb: size,
        beta: from == 0 ? 0 : 1, dW, ldc: size, pool: pool)
      if let db {
        columnSums(rows: rows, columns: words, logits, into: sums, pool: pool)
        addScaled(count: words, 1, sums, to: db, pool: pool)
      }
      linear.inputGradient(rows: rows, logits, into: dh + from * size, pool: pool)
      dropout.apply(
        firstRow: from, rows: rows, columns: size, dh + from * size, into: dh + from * size, pool: pool)
    }
    return logProbabilities
  }

  private func entropy(
    _ rows: Int, _ from: Int, _ logits: UnsafeMutablePointer<Float>, _ targets: [Int32], scale: Float,
    _ labelSmoothing: Float, _ weights: [Float]?, _ logProbabilities: inout [Float], _ pool: ThreadPool
  ) {
    targets.withUnsafeBufferPointer { targets in
      logProbabilities.withUnsafeMutableBufferPointer { logProbabilities in
        let (targets, results) = (targets.baseAddress! + from, logProbabilities.baseAddress! + from)
        func run(_ weights: UnsafePointer<Float>?) {
          softmaxCrossEntropy(
            rows: rows, columns: linear.outputs, logits: logits, bias: linear.bias?.value.pointer,
            targets: targets, gradientScale: scale, labelSmoothing: labelSmoothing, weights: weights,
            logProbabilities: results, pool: pool)
        }
        if let weights { weights.withUnsafeBufferPointer { run($0.baseAddress! + from) } } else { run(nil) }
      }
    }
  }
}
