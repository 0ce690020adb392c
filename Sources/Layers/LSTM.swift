public import Kernels
public import Tensors

/// At which time steps the image enters the LSTM.
public enum Injection: String, Codable, Sendable, CaseIterable {
  /// W_ih·v is added at every step.
  case everyStep
  /// W_ih·v is added at the first step only.
  case firstStep
}

/// A long short-term memory over packed sequences, conditioned on images:
///
///     sumₜ = W_xh xₜ + W_hh hₜ₋₁ + W_ih v + b = [i, f, o, g]
///     cₜ = σ(f)·cₜ₋₁ + σ(i)·tanh(g),  hₜ = σ(o)·tanh(cₜ),  c₀ = h₀ = 0
///
/// The term W_ih·v is computed outside, once an image.
public struct LSTM: Module {
  /// W_xh [4H, E].
  public var inputWeight: Parameter
  /// W_hh [4H, H].
  public var hiddenWeight: Parameter
  /// b [4H].
  public var bias: Parameter

  /// `path`.weight_xh, .weight_hh uniform in ±1/√H at first; `path`.bias zero but for the forget gate's, which is 1
  /// unless the source thinks otherwise (Jozefowicz et al. 2015).
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let limit = 1 / Float(max(1, hidden)).squareRoot()
    inputWeight = try Parameter(path + ".weight_xh", [4 * hidden, inputs], .uniform(limit), from: source)
    hiddenWeight = try Parameter(path + ".weight_hh", [4 * hidden, hidden], .uniform(limit), from: source)
    bias = try Parameter(path + ".bias", [4 * hidden], .forgetGate, from: source)
  }

  /// E.
  public var inputs: Int { inputWeight.value.shape[1] }
  /// H.
  public var hidden: Int { hiddenWeight.value.shape[1] }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&inputWeight)
    try visit(&hiddenWeight)
    try visit(&bias)
  }

  /// What the backward pass needs of a forward pass; kept between batches, so that its memory is used again.
  public struct Trace: Sendable {
    // [P, 4H]: the gates, and after the backward pass the gradients of their sums.
    var gates = Buffer()
    var (cells, tanhCells, hidden, added) = (Buffer(), Buffer(), Buffer(), Buffer())
    // Backward only.
    var (hiddenBefore, cellGradients) = (Buffer(), Buffer())

    /// Nothing traced yet.
    public init() {}

    /// h of every position [P, H].
    public var hiddenStates: UnsafePointer<Float> { hidden.pointer }
  }

  /// Runs all time steps.
  /// - Parameters:
  ///   - x: [P, E].
  ///   - injected: W_ih·v [N, 4H], without the bias; nil where the image does not enter.
  public func forward(
    _ captions: PackedCaptions, _ x: UnsafePointer<Float>, injected: UnsafePointer<Float>?, images: Int,
    injection: Injection, into trace: inout Trace, pool: ThreadPool = .shared
  ) {
    let (size, positions) = (hidden, captions.positions)
    let gates = trace.gates.reserve(positions * 4 * size)
    let cells = trace.cells.reserve(positions * size)
    let tanhCells = trace.tanhCells.reserve(positions * size)
    let hidden = trace.hidden.reserve(positions * size)
    // W_ih·v + b, a row an image.
    let added = trace.added.reserve(injected == nil ? 0 : images * 4 * size)
    if let injected {
      added.update(from: injected, count: images * 4 * size)
      addBias(rows: images, columns: 4 * size, added, bias: bias.value.pointer, pool: pool)
    }

    // W_xh x of all positions at once; only W_hh h waits for the step before.
    gemm(
      m: positions, n: 4 * size, k: inputs, x, lda: inputs, inputWeight.value.pointer, ldb: inputs,
      transposeB: true, gates, ldc: 4 * size, pool: pool)
    var now = 0
    var before = 0
    for (t, live) in captions.batchSizes.enumerated() {
      if t > 0 {
        gemm(
          m: live, n: 4 * size, k: size, hidden + before * size, lda: size, hiddenWeight.value.pointer,
          ldb: size,
          transposeB: true, beta: 1, gates + now * 4 * size, ldc: 4 * size, pool: pool)
      }
      let sees = injected != nil && (t == 0 || injection == .everyStep)
      captions.imageRows.withUnsafeBufferPointer { rows in
        lstmForward(
          rows: live, hiddenSize: size, gates: gates + now * 4 * size,
          added: sees ? UnsafePointer(added) : bias.value.pointer,
          addedRows: sees ? rows.baseAddress : nil,
          cellsBefore: t > 0 ? UnsafePointer(cells + before * size) : nil,
          cells: cells + now * size, tanhCells: tanhCells + now * size, hidden: hidden + now * size,
          pool: pool)
      }
      before = now
      now += live
    }
  }

  /// Runs all time steps backwards and writes the gradients of W_xh, W_hh and b.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dh: [P, H], the gradient that reaches h from above; overwritten.
  ///   - dx: [P, E], overwritten with the gradient of x.
  ///   - dInjected: [N, 4H], overwritten with the gradient of W_ih·v; nil where the image does not enter.
  public mutating func backward(
    _ captions: PackedCaptions, _ x: UnsafePointer<Float>, dh: UnsafeMutablePointer<Float>,
    dx: UnsafeMutablePointer<Float>, dInjected: UnsafeMutablePointer<Float>?, images: Int,
    injection: Injection, trace: inout Trace, pool: ThreadPool = .shared
  ) {
    let (size, positions, first) = (hidden, captions.positions, captions.count)
    guard positions > 0 else { return }
    let gates = trace.gates.reserve(positions * 4 * size)
    let (cells, tanhCells) = (trace.cells.pointer, trace.tanhCells.pointer)
    let hiddenStates = trace.hidden.pointer
    let dc = trace.cellGradients.reserve(first * size)
    dc.update(repeating: 0, count: first * size)

    var now = positions
    for (t, live) in captions.batchSizes.enumerated().reversed() {
      now -= live
      let before = t > 0 ? now - captions.batchSizes[t - 1] : 0
      lstmBackward(
        rows: live, hiddenSize: size, gates: gates + now * 4 * size,
        cellsBefore: t > 0 ? cells + before * size : nil,
        tanhCells: tanhCells + now * size, hiddenGradients: dh + now * size, cellGradients: dc, pool: pool)
      if t > 0 {  // δhₜ₋₁ += δsumₜ W_hh
        gemm(
          m: live, n: size, k: 4 * size, gates + now * 4 * size, lda: 4 * size, hiddenWeight.value.pointer,
          ldb: size, beta: 1, dh + before * size, ldc: size, pool: pool)
      }
    }

    // hₜ₋₁ of every position but the first step's, where it is zero.
    let later = positions - first
    let hiddenBefore = trace.hiddenBefore.reserve(later * size)
    var (row, from) = (0, 0)
    for (live, next) in zip(captions.batchSizes, captions.batchSizes.dropFirst()) {
      (hiddenBefore + row * size).update(from: hiddenStates + from * size, count: next * size)
      row += next
      from += live
    }
    // δW = δsumᵀ input, one product each.
    gemm(
      m: 4 * size, n: inputs, k: positions, gates, lda: 4 * size, transposeA: true, x, ldb: inputs,
      inputWeight.gradientPointer(), ldc: inputs, pool: pool)
    if later > 0 {
      gemm(
        m: 4 * size, n: size, k: later, gates + first * 4 * size, lda: 4 * size, transposeA: true,
        hiddenBefore,
        ldb: size, hiddenWeight.gradientPointer(), ldc: size, pool: pool)
    } else {
      hiddenWeight.gradientPointer().update(repeating: 0, count: 4 * size * size)
    }
    columnSums(rows: positions, columns: 4 * size, gates, into: bias.gradientPointer(), pool: pool)
    gemm(
      m: positions, n: inputs, k: 4 * size, gates, lda: 4 * size, inputWeight.value.pointer, ldb: inputs, dx,
      ldc: inputs, pool: pool)

    guard let dInjected else { return }
    let seen = injection == .everyStep ? positions : first
    var imageOfPosition: [Int32] = []
    imageOfPosition.reserveCapacity(positions)
    for live in captions.batchSizes { imageOfPosition += captions.imageRows[..<live] }
    scatterRows(
      rows: seen, columns: 4 * size, gates, to: imageOfPosition, into: dInjected, targetRows: images,
      pool: pool)
  }

  /// W_xh x + b: x [rows, E] → sums [rows, 4H].
  public func inputSums(
    rows: Int, _ x: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared
  ) {
    gemm(
      m: rows, n: 4 * hidden, k: inputs, x, lda: inputs, inputWeight.value.pointer, ldb: inputs,
      transposeB: true, sums, ldc: 4 * hidden, pool: pool)
    addBias(rows: rows, columns: 4 * hidden, sums, bias: bias.value.pointer, pool: pool)
  }

  /// One step of inference.
  /// - Parameters:
  ///   - input: W_xh x + b, which rows of one word share.
  ///   - injected: W_ih·v, which rows of one image share; nil where the image does not enter.
  ///   - before: the states that the rows go on from, which rows of one parent share; nil before the first step.
  ///   - scratch: [before.rows, 4H].
  ///   - h: [rows, H], as c; not those before.
  ///   - c: [rows, H].
  public func step(
    rows: Int, input: GateSums, injected: GateSums?, before: LSTMStates?,
    scratch: UnsafeMutablePointer<Float>, h: UnsafeMutablePointer<Float>, c: UnsafeMutablePointer<Float>,
    pool: ThreadPool = .shared
  ) {
    if let before {
      gemm(
        m: before.rows, n: 4 * hidden, k: hidden, before.h, lda: hidden, hiddenWeight.value.pointer,
        ldb: hidden, transposeB: true, scratch, ldc: 4 * hidden, pool: pool)
    }
    lstmStep(
      rows: rows, hiddenSize: hidden, input: input,
      recurrent: before.map { GateSums(scratch, rows: $0.parents) }, added: injected,
      cellsBefore: before?.c, cellRows: before?.parents, cells: c, hidden: h, pool: pool)
  }
}

/// States that the rows of a step go on from.
public struct LSTMStates {
  /// How many there are.
  public let rows: Int
  /// [rows, H].
  public let h, c: UnsafePointer<Float>
  /// Which of them each row of the step goes on from; nil: row r from r.
  public let parents: UnsafePointer<Int32>?

  /// Memory that outlives the step.
  public init(
    rows: Int, h: UnsafePointer<Float>, c: UnsafePointer<Float>, parents: UnsafePointer<Int32>? = nil
  ) {
    (self.rows, self.h, self.c, self.parents) = (rows, h, c, parents)
  }
}
