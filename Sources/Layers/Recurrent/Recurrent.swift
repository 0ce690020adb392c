public import Kernels
public import Tensors

/// One layer of a recurrent network over packed sequences: the parameters of a cell, and time. What its gates are the sum
/// of is
///
///     sumₜ = W_xh xₜ + W_hh hₜ₋₁ + b + contextₜ
///
/// (the cell may let a gate act on hₜ₋₁ first, see another state, read x itself or not hₜ₋₁), with all states 0 before the
/// first step. The context is whatever a conditioning adds; the layer does not know what that is.
public struct Recurrent<Cell: RecurrentCell>: Module {
  /// W_xh, H rows for each of the cell's input gates: [G·H, E], usually.
  public var inputWeight: Parameter
  /// W_hh, H rows for each of the cell's recurrent gates: [G·H, H], usually. Nil where there are none.
  public var hiddenWeight: Parameter?
  /// b [G·H].
  public var bias: Parameter
  /// A row [H] for each of the cell's peepholes; nil where there are none.
  public var peepholes: Parameter?

  /// `path`.weight_xh, .weight_hh as the cell has them at first, `path`.peephole as them; `path`.bias zero but for the
  /// gate that remembers, whose is 1 unless the source thinks otherwise.
  public init<E: Error>(
    _ path: String, inputs: Int, hidden: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    precondition(
      Cell.directInput == nil || inputs == hidden, "\(Cell.name) of \(hidden) units reads \(inputs)")
    let uniform = ParameterSpecification.Initial.uniform(1 / Float(max(1, hidden)).squareRoot())
    let (input, recurrent): (ParameterSpecification.Initial, ParameterSpecification.Initial) =
      switch Cell.initialWeights {
      case .uniform: (uniform, uniform)
      case .identity(let deviation): (.normal(deviation), .identity)
      }
    let (sums, recurrentSums) = (Cell.gates * hidden, Cell.recurrentGates.count * hidden)
    inputWeight = try Parameter(
      path + ".weight_xh", [Cell.inputGates.count * hidden, inputs], input, from: source)
    if recurrentSums > 0 {
      hiddenWeight = try Parameter(path + ".weight_hh", [recurrentSums, hidden], recurrent, from: source)
    }
    let initial = Cell.rememberingGate.map { ParameterSpecification.Initial.openGate($0, of: Cell.gates) }
    bias = try Parameter(path + ".bias", [sums], initial ?? .zero, from: source)
    if !Cell.peepholes.isEmpty {
      peepholes = try Parameter(path + ".peephole", [Cell.peepholes.count, hidden], uniform, from: source)
    }
  }

  /// E.
  public var inputs: Int { inputWeight.value.shape[1] }
  /// H.
  public var hidden: Int { bias.value.count / Cell.gates }
  /// G·H.
  public var sums: Int { Cell.gates * hidden }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&inputWeight)
    if hiddenWeight != nil { try visit(&hiddenWeight!) }
    try visit(&bias)
    if peepholes != nil { try visit(&peepholes!) }
  }

  /// W_hh; of no rows where there is none.
  private var hiddenMatrix: Matrix {
    hiddenWeight?.value.matrix ?? Matrix(bias.value.pointer, rows: 0, columns: hidden)
  }
  var inputMatrix: Matrix { inputWeight.value.matrix }
  /// The columns of a matrix of sums that belong to some gates.
  func columns(_ gates: Range<Int>) -> Range<Int> {
    gates.lowerBound * hidden..<gates.upperBound * hidden
  }

  /// What the backward pass needs of a forward pass; kept between batches, so that its memory is used again.
  public struct Trace: Sendable {
    // [P, G·H]: W_xh x, then the activated gates, and after the backward pass the gradients of their sums.
    var gates = Buffer()
    // [P, H] each: h first.
    var states = [Buffer](repeating: Buffer(), count: Cell.states)
    // [P, K·H].
    var kept = Buffer()
    var scratch = Buffer()
    // [B, H] each: what the first step goes on from, where that is not zero.
    var initial = [Buffer](repeating: Buffer(), count: Cell.states)
    var isBegun = false
    // Backward only: [B, H] of each state, and a state of the steps before [L, H].
    var stateGradients = [Buffer](repeating: Buffer(), count: Cell.states)
    private var stateBefore = Buffer()
    // W_hh as the steps of the pass under way multiply by it.
    fileprivate var packedWeight = Buffer()

    /// Nothing traced yet.
    public init() {}

    /// h of every position [P, H].
    public var hiddenStates: UnsafePointer<Float> { states[0].pointer }

    /// What a forward pass computed at P positions: every state [P, H], h first, and the activated gates [P, G·H].
    public func record(positions: Int, hidden: Int) -> (states: [Matrix], gates: Matrix) {
      (
        states.map { Matrix($0.pointer, rows: positions, columns: hidden) },
        Matrix(gates.pointer, rows: positions, columns: Cell.gates * hidden)
      )
    }

    /// The gradients of the states [B, H] that the first step went on from, after a backward pass; h first.
    public func initialGradients(_ sequences: Int, hidden: Int) -> [Matrix] {
      stateGradients.map { Matrix($0.pointer, rows: sequences, columns: hidden) }
    }

    /// A state that each position went on from, but for the first step's where that was zero; valid until the next call.
    fileprivate mutating func before(_ state: Int, _ sequences: PackedSequences, _ hidden: Int) -> Matrix {
      let later = sequences.positions - (isBegun ? 0 : sequences.count)
      let memory = stateBefore.reserve(later * hidden)
      var row = 0
      if isBegun {
        memory.update(from: initial[state].pointer, count: sequences.count * hidden)
        row = sequences.count
      }
      for before in sequences.steps.compactMap(\.before) {
        (memory + row * hidden).update(
          from: states[state].pointer + before.lowerBound * hidden, count: before.count * hidden)
        row += before.count
      }
      return Matrix(memory, rows: later, columns: hidden)
    }
  }

  /// The memory of a forward pass over packed sequences, in its trace.
  public struct Pass {
    /// [P, G·H]: what the gates are the sum of besides h, b and context, to be written before each step; after it the
    /// activated gates.
    public let gates: MutableMatrix
    /// [P, H] each, h first.
    public let states: [MutableMatrix]
    let kept: MutableMatrix?
    let scratch: UnsafeMutablePointer<Float>
    /// What the first step goes on from; nil: zero.
    let initial: CellStates?
    /// W_hh or, forwards, its transpose, as many steps multiply by it; nil: as it is.
    let packedWeight: PackedFactor?
  }

  /// Begins a pass whose steps are then taken one by one.
  /// - Parameter initial: the states that the sequences begin with; nil: zero.
  public func begin(
    _ sequences: PackedSequences, from initial: CellStates? = nil, into trace: inout Trace, on device: Device
  ) -> Pass {
    trace.isBegun = initial != nil
    if let initial {
      for state in trace.initial.indices {
        let memory = trace.initial[state].reserve(sequences.count, hidden)
        for row in 0..<sequences.count { memory[row].update(from: initial[state, row], count: hidden) }
      }
    }
    return pass(
      sequences, in: &trace,
      packedWeight: packed(.transposed(hiddenMatrix), sequences, in: &trace, on: device))
  }

  /// W_hh laid out for the steps of a pass, where enough of them multiply enough rows by it.
  private func packed(
    _ weight: Factor, _ sequences: PackedSequences, in trace: inout Trace, on device: Device
  ) -> PackedFactor? {
    // What is multiplied in bfloat16 is another product.
    let isOurs = device.arithmetic == .float32 || sequences.count < 64
    guard isOurs, hiddenMatrix.rows * hidden >= 1 << 14, sequences.count >= PackedFactor.leastRows,
      sequences.steps.count >= 4
    else { return nil }
    let memory = trace.packedWeight.reserve(
      max(
        PackedFactor.scalars(rows: hidden, columns: hiddenMatrix.rows, on: device),
        PackedFactor.scalars(rows: hiddenMatrix.rows, columns: hidden, on: device)))
    return PackedFactor(weight, in: memory, on: device)
  }

  private func pass(
    _ sequences: PackedSequences, in trace: inout Trace, packedWeight: PackedFactor? = nil
  ) -> Pass {
    let positions = sequences.positions
    let width = Cell.kept * hidden
    return Pass(
      gates: trace.gates.reserve(positions, sums),
      states: trace.states.indices.map { trace.states[$0].reserve(positions, hidden) },
      kept: width > 0 ? trace.kept.reserve(positions, width) : nil,
      scratch: trace.scratch.reserve(sequences.count * Cell.scratch * hidden),
      initial: trace.isBegun
        ? CellStates(
          trace.initial.map { Matrix($0.pointer, rows: sequences.count, columns: hidden) }) : nil,
      packedWeight: packedWeight)
  }

  /// One step of a pass.
  /// - Parameter context: what is added to the gates' sums; nil where nothing is.
  public func step(_ step: PackedStep, of pass: Pass, context: SharedRows?, on device: Device) {
    let now = pass.gates.rows(step.range)
    Cell.step(
      CellStep(
        sums: GateSums(
          input: SharedRows(Matrix(now)), bias: bias.value.pointer, context: context),
        weight: hiddenMatrix, packedWeight: pass.packedWeight, peepholes: peepholes?.value.matrix,
        before: states(before: step, pass),
        results: .init(
          states: pass.states.map { $0.rows(step.range) }, gates: now, kept: pass.kept?.rows(step.range)),
        scratch: pass.scratch), on: device)
  }

  /// The states that a step goes on from.
  private func states(before step: PackedStep, _ pass: Pass) -> CellStates? {
    guard let before = step.before else { return pass.initial }
    return CellStates(pass.states.map { Matrix($0.rows(before)) })
  }

  /// Runs all time steps.
  /// - Parameters:
  ///   - x: [P, E].
  ///   - initial: the states that the sequences begin with; nil: zero.
  ///   - context: what is added to the gates' sums at a step, given the h that its rows go on from [rows, H], nil at
  ///     the first; nil where nothing is added.
  public func forward(
    _ sequences: PackedSequences, _ x: some LayerInput, from initial: CellStates? = nil,
    into trace: inout Trace, on device: Device,
    context: (_ step: PackedStep, _ hidden: Matrix?) -> SharedRows? = { _, _ in nil }
  ) {
    let pass = begin(sequences, from: initial, into: &trace, on: device)
    // W_xh x of all positions at once; only W_hh h waits for the step before.
    inputTerms(x, into: pass.gates, on: device)
    for step in sequences.steps {
      let hidden = states(before: step, pass)?.values[0].rows(0..<step.rows)
      self.step(step, of: pass, context: context(step, hidden), on: device)
    }
  }

  /// Begins the backward pass, whose steps are then taken one by one, the last first.
  public func beginBackward(
    _ sequences: PackedSequences, _ trace: inout Trace, on device: Device
  ) -> Pass {
    for state in trace.stateGradients.indices {
      let count = sequences.count * hidden
      trace.stateGradients[state].reserve(count).update(repeating: 0, count: count)
    }
    return pass(
      sequences, in: &trace, packedWeight: packed(.plain(hiddenMatrix), sequences, in: &trace, on: device))
  }

  /// One step backwards: its gates become the gradients of their sums, which are returned [rows, G·H].
  /// - Parameter dh: [P, H]: the gradient of h, complete for this step; that of the step before is added to.
  /// - Returns: the sums' gradients, and δh of the step before [rows, H], nil where there is none.
  public func stepBackward(
    _ step: PackedStep, of pass: Pass, dh: MutableMatrix, _ trace: inout Trace, on device: Device
  ) -> (sums: Matrix, hiddenBefore: MutableMatrix?) {
    let gradients = trace.stateGradients.indices.map {
      MutableMatrix(trace.stateGradients[$0].reserve(step.rows * hidden), rows: step.rows, columns: hidden)
    }
    let hiddenBefore = step.before.map { dh.rows($0) } ?? (pass.initial == nil ? nil : gradients[0])
    let now = pass.gates.rows(step.range)
    Cell.stepBackward(
      CellStepBackward(
        record: .init(
          gates: now, kept: pass.kept.map { Matrix($0.rows(step.range)) }, before: states(before: step, pass)),
        weight: hiddenMatrix, packedWeight: pass.packedWeight, peepholes: peepholes?.value.matrix,
        gradients: .init(
          hidden: Matrix(dh.rows(step.range)), others: Array(gradients.dropFirst()),
          hiddenBefore: hiddenBefore),
        scratch: pass.scratch), on: device)
    return (Matrix(now), hiddenBefore)
  }

  /// Ends the backward pass: writes the gradients of W_xh, W_hh and b.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dx: [P, E], overwritten with the gradient of x; nil: nobody wants it.
  /// - Returns: the gradients of all sums [P, G·H], which the trace holds until its next pass.
  @discardableResult
  public mutating func finishBackward(
    _ sequences: PackedSequences, _ x: some LayerInput, dx: MutableMatrix?, trace: inout Trace,
    on device: Device
  ) -> Matrix {
    let pass = pass(sequences, in: &trace)
    accumulate(sequences, x, pass, &trace, device)
    if let dx { inputBackward(x, Matrix(pass.gates), into: dx, on: device) }
    return Matrix(pass.gates)
  }

  /// Runs all time steps backwards and writes the gradients of W_xh, W_hh and b.
  /// - Parameters:
  ///   - x: [P, E], as in the forward pass.
  ///   - dh: [P, H], the gradient that reaches h from above; overwritten.
  ///   - dx: [P, E], overwritten with the gradient of x; nil: nobody wants it.
  ///   - context: called with the gradient of each step's sums [rows, G·H], the last step first, to add to δh of the
  ///     step before [rows, H] (nil where there is none) what comes that way.
  /// - Returns: the gradients of all sums [P, G·H], which the trace holds until its next pass.
  @discardableResult
  public mutating func backward(
    _ sequences: PackedSequences, _ x: some LayerInput, dh: MutableMatrix, dx: MutableMatrix?,
    trace: inout Trace, on device: Device,
    context: (_ step: PackedStep, _ sums: Matrix, _ hidden: MutableMatrix?) -> Void = { _, _, _ in }
  ) -> Matrix {
    let pass = beginBackward(sequences, &trace, on: device)
    guard sequences.positions > 0 else { return Matrix(pass.gates) }
    for step in sequences.steps.reversed() {
      let (sums, hiddenBefore) = stepBackward(step, of: pass, dh: dh, &trace, on: device)
      context(step, sums, hiddenBefore)
    }
    return finishBackward(sequences, x, dx: dx, trace: &trace, on: device)
  }

  /// The weights' gradients: one product each.
  private mutating func accumulate(
    _ sequences: PackedSequences, _ x: some LayerInput, _ pass: Pass, _ trace: inout Trace, _ device: Device
  ) {
    let positions = sequences.positions
    let gates = Matrix(pass.gates)
    x.weightGradient(
      gates.columns(columns(Cell.inputGates)),
      into: MutableMatrix(
        inputWeight.gradientPointer(), rows: inputWeight.value.shape[0], columns: inputs), on: device)
    columnSums(gates, into: bias.gradientPointer(), on: device)
    // What depends on the step before, of every position but the first step's where that is zero.
    let later = (pass.initial == nil ? sequences.count : 0)..<positions
    if let rows = hiddenWeight?.value.shape[0], let gradient = hiddenWeight?.gradientPointer() {
      if later.isEmpty {
        gradient.update(repeating: 0, count: rows * hidden)
      } else {
        Cell.weightGradient(
          sums: gates.rows(later), hidden: trace.before(0, sequences, hidden),
          kept: pass.kept.map { Matrix($0.rows(later)) },
          into: MutableMatrix(gradient, rows: rows, columns: hidden), on: device)
      }
    }
    for (row, peephole) in Cell.peepholes.enumerated() {
      guard let gradient = peepholes?.gradientPointer() else { continue }
      let sums = gates.columns(columns(peephole.gate..<peephole.gate + 1))
      let state =
        peephole.isAfter
        ? Matrix(trace.states[peephole.state].pointer, rows: positions, columns: hidden)
        : trace.before(peephole.state, sequences, hidden)
      columnProducts(
        peephole.isAfter ? sums : sums.rows(later), state, into: gradient + row * hidden, on: device)
    }
  }

  /// One step of inference.
  /// - Parameters:
  ///   - input: W_xh x + b, as `inputSums` makes them.
  ///   - context: what a conditioning adds; nil where nothing.
  ///   - before: the states that the rows go on from; nil before the first step.
  ///   - states: one matrix [rows, H] for each state, h first; not those before.
  ///   - scratch: `Cell.scratch`·H floats for each row of this step or of those before, whichever are more.
  public func step(
    input: SharedRows, context: SharedRows?, before: CellStates?, into states: [MutableMatrix],
    scratch: UnsafeMutablePointer<Float>, on device: Device
  ) {
    Cell.step(
      CellStep(
        sums: GateSums(input: input, context: context), weight: hiddenMatrix,
        peepholes: peepholes?.value.matrix, before: before, results: .init(states: states),
        scratch: scratch), on: device)
  }
}
