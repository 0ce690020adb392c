/// Rows that several sequences may share: row r of a step is row `rows[r]` of the matrix, or row r where there is no map.
public struct SharedRows {
  /// The rows themselves.
  public let matrix: Matrix
  /// Which of them each row of a step is.
  public let rows: UnsafePointer<Int32>?

  /// Memory that outlives the step.
  public init(_ matrix: Matrix, rows: UnsafePointer<Int32>? = nil) {
    self.matrix = matrix
    self.rows = rows
  }

  /// What row `row` of the step is.
  public subscript(row: Int) -> UnsafePointer<Float> { matrix[rows.map { Int($0[row]) } ?? row] }
}

/// What the gates of a step are the sum of, besides W_hh h: G·H floats a row.
public struct GateSums {
  /// W_xh x, or what else a gate reads of x.
  public let input: SharedRows
  /// b [G·H]; nil where `input` has it already.
  public let bias: UnsafePointer<Float>?
  /// What a conditioning adds, such as W_ih v; nil where nothing.
  public let context: SharedRows?

  /// The terms of one step.
  public init(input: SharedRows, bias: UnsafePointer<Float>? = nil, context: SharedRows? = nil) {
    self.input = input
    self.bias = bias
    self.context = context
  }
}

/// The states that the rows of a step go on from.
public struct CellStates {
  /// One matrix [R, H] for each of the cell's states, h first.
  public let values: [Matrix]
  /// Which of the R rows each row of the step goes on from; nil: row r from r.
  public let rows: UnsafePointer<Int32>?

  /// Memory that outlives the step.
  public init(_ values: [Matrix], rows: UnsafePointer<Int32>? = nil) {
    self.values = values
    self.rows = rows
  }

  /// h, as rows that several of the step may share.
  public var hidden: SharedRows { SharedRows(values[0], rows: rows) }

  /// State `state` that row `row` of the step goes on from.
  public subscript(state: Int, row: Int) -> UnsafePointer<Float> {
    values[state][rows.map { Int($0[row]) } ?? row]
  }
}

/// One time step of a cell over some rows.
public struct CellStep {
  /// What a step writes.
  public struct Results {
    /// One matrix [rows, H] for each of the cell's states, h first; not those before.
    public let states: [MutableMatrix]
    /// The activated gates [rows, G·H], for the backward pass; may be the memory of the sums' input. Nil in inference.
    public let gates: MutableMatrix?
    /// What else the backward pass needs [rows, K·H]; nil in inference, and where K is 0.
    public let kept: MutableMatrix?

    /// Memory for the results of one step.
    public init(states: [MutableMatrix], gates: MutableMatrix? = nil, kept: MutableMatrix? = nil) {
      self.states = states
      self.gates = gates
      self.kept = kept
    }
  }

  /// What the gates are the sum of.
  public let sums: GateSums
  /// W_hh, H rows for each gate that has some.
  public let weight: Matrix
  /// W_hhᵀ as products of many steps take it; nil where none was laid out.
  public let packedWeight: PackedFactor?
  /// A row [H] for each of the cell's peepholes; nil where there are none.
  public let peepholes: Matrix?
  /// Nil before the first step: all states are zero.
  public let before: CellStates?
  /// Where the results go.
  public let results: Results
  /// The cell's `scratch` · H floats for each row of this step or of those before, whichever are more.
  public let scratch: UnsafeMutablePointer<Float>

  /// A step.
  public init(
    sums: GateSums, weight: Matrix, packedWeight: PackedFactor? = nil, peepholes: Matrix? = nil,
    before: CellStates?, results: Results, scratch: UnsafeMutablePointer<Float>
  ) {
    self.sums = sums
    self.weight = weight
    self.packedWeight = packedWeight
    self.peepholes = peepholes
    self.before = before
    self.results = results
    self.scratch = scratch
  }

  /// The number of rows.
  public var rows: Int { results.states[0].rows }
  /// H.
  public var hidden: Int { results.states[0].columns }

  /// h W_hhᵀ of some rows of W_hh, unless all, for h [rows, H] or what takes its place → products [rows, G·H].
  func multiply(
    _ hidden: Matrix, _ rows: Range<Int>? = nil, into products: MutableMatrix, on device: Device
  ) {
    let rows = rows ?? 0..<weight.rows
    if hidden.rows >= PackedFactor.leastRows, let packed = packedWeight?.columns(rows) {
      return packed.multiply(hidden, into: products, adds: false, on: device)
    }
    Kernels.multiply(.plain(hidden), .transposed(weight.rows(rows)), into: products, on: device)
  }
}

/// The same time step backwards.
public struct CellStepBackward {
  /// What the step left.
  public struct Record {
    /// [rows, G·H]: the activated gates before, the gradients of their sums after.
    public let gates: MutableMatrix
    /// [rows, K·H]; nil where K is 0.
    public let kept: Matrix?
    /// Nil at the first step. Row r goes on from row r.
    public let before: CellStates?

    /// What a forward step wrote and read.
    public init(gates: MutableMatrix, kept: Matrix?, before: CellStates?) {
      self.gates = gates
      self.kept = kept
      self.before = before
    }
  }

  /// The gradients of the states.
  public struct Gradients {
    /// δh [rows, H] of this step, complete.
    public let hidden: Matrix
    /// Of each state but h, [rows, H]: that of the state after the step before the call, of the state before it after.
    public let others: [MutableMatrix]
    /// δh of the step before [rows, H], to be added to; nil at the first step.
    public let hiddenBefore: MutableMatrix?

    /// Gradients of one step.
    public init(hidden: Matrix, others: [MutableMatrix], hiddenBefore: MutableMatrix?) {
      self.hidden = hidden
      self.others = others
      self.hiddenBefore = hiddenBefore
    }
  }

  /// What the step left.
  public let record: Record
  /// As in `CellStep`.
  public let weight: Matrix
  /// W_hh as products of many steps take it; nil where none was laid out.
  public let packedWeight: PackedFactor?
  /// As in `CellStep`.
  public let peepholes: Matrix?
  /// The gradients of the states.
  public let gradients: Gradients
  /// As in `CellStep`.
  public let scratch: UnsafeMutablePointer<Float>

  /// A step backwards.
  public init(
    record: Record, weight: Matrix, packedWeight: PackedFactor? = nil, peepholes: Matrix? = nil,
    gradients: Gradients, scratch: UnsafeMutablePointer<Float>
  ) {
    self.record = record
    self.weight = weight
    self.packedWeight = packedWeight
    self.peepholes = peepholes
    self.gradients = gradients
    self.scratch = scratch
  }

  /// The number of rows.
  public var rows: Int { record.gates.rows }
  /// H.
  public var hidden: Int { gradients.hidden.columns }

  /// δsums W_hh of some rows of W_hh, unless all, for δsums [rows, G·H] of their gates → δh [rows, H], written or added.
  func multiply(
    _ sums: Matrix, _ rows: Range<Int>? = nil, into gradient: MutableMatrix, adds: Bool, on device: Device
  ) {
    let rows = rows ?? 0..<weight.rows
    if sums.rows >= PackedFactor.leastRows, let packed = packedWeight?.rows(rows) {
      return packed.multiply(sums, into: gradient, adds: adds, on: device)
    }
    Kernels.multiply(
      .plain(sums), .plain(weight.rows(rows)), into: gradient, beta: adds ? 1 : 0, on: device)
  }
}
