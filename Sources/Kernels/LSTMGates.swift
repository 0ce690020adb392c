/// One time step of an LSTM over `rows` rows, after its matrix products (Hochreiter & Schmidhuber 1997, with the
/// forget gate of Gers et al. 2000):
///
///     i, f, o = σ(sum + added),  g = tanh(sum + added),  c = f·c₋ + i·g,  h = o·tanh c
///
/// - Parameters:
///   - gates: [rows, 4H] in order i, f, o, g: sums before, activated after.
///   - added: [·, 4H], added to the sums: row `addedRows[r]`, or its first row when that is nil.
///   - cellsBefore: c₋ [rows, H]; nil at the first step, where it is zero.
///   - cells: c [rows, H]; may be `cellsBefore`.
///   - tanhCells: tanh c [rows, H], for the backward pass; nil where there is none.
///   - hidden: h [rows, H].
public func lstmForward(
  rows: Int, hiddenSize: Int, gates: UnsafeMutablePointer<Float>, added: UnsafePointer<Float>,
  addedRows: UnsafePointer<Int32>?, cellsBefore: UnsafePointer<Float>?, cells: UnsafeMutablePointer<Float>,
  tanhCells: UnsafeMutablePointer<Float>?, hidden: UnsafeMutablePointer<Float>,
  pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let size = hiddenSize
  let step = instructions.table.pointer.pointee.lstm_forward!
  pool.runRows(rows, columns: 8 * size) { range in
    for row in range {
      let extra = added + (addedRows.map { Int($0[row]) } ?? 0) * 4 * size
      step(
        gates + row * 4 * size, extra, cellsBefore.map { $0 + row * size }, cells + row * size,
        tanhCells.map { $0 + row * size }, hidden + row * size, size)
    }
  }
}

/// Rows of 4H sums, of which a step reads row `rows[r]` for its row r, or r itself when that is nil.
public struct GateSums {
  let sums: UnsafePointer<Float>
  let rows: UnsafePointer<Int32>?

  /// Memory that outlives the step.
  public init(_ sums: UnsafePointer<Float>, rows: UnsafePointer<Int32>? = nil) {
    (self.sums, self.rows) = (sums, rows)
  }

  func row(_ row: Int, _ size: Int) -> UnsafePointer<Float> {
    sums + (rows.map { Int($0[row]) } ?? row) * 4 * size
  }
}

/// The same step for inference, of sums that rows may share: nothing is kept but c and h.
/// - Parameters:
///   - input: what each row's gates are the sum of, with `recurrent` and `added`.
///   - cellsBefore: c₋ [·, H], of which row `cellRows[r]` is row r's; nil at the first step, where it is zero.
///   - cells: c [rows, H]; not `cellsBefore`.
///   - hidden: h [rows, H].
public func lstmStep(
  rows: Int, hiddenSize: Int, input: GateSums, recurrent: GateSums?, added: GateSums?,
  cellsBefore: UnsafePointer<Float>?, cellRows: UnsafePointer<Int32>?, cells: UnsafeMutablePointer<Float>,
  hidden: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared, instructions: InstructionSet = .current
) {
  let size = hiddenSize
  let step = instructions.table.pointer.pointee.lstm_step!
  pool.runRows(rows, columns: 8 * size) { range in
    for row in range {
      let before = cellRows.map { Int($0[row]) } ?? row
      step(
        input.row(row, size), recurrent?.row(row, size), added?.row(row, size),
        cellsBefore.map { $0 + before * size }, cells + row * size, hidden + row * size, size)
    }
  }
}

/// The same step backwards, given δh and the δc that came from the next step:
///
///     δc += δh·o·(1 − tanh²c),  δi = δc·g·i(1−i),  δf = δc·c₋·f(1−f),  δo = δh·tanh c·o(1−o),  δg = δc·i·(1−g²),
///     δc₋ = δc·f
///
/// - Parameters:
///   - gates: [rows, 4H]: activated gates before, gradients of their sums after.
///   - cellGradients: [rows, H]: δc before, δc₋ after.
public func lstmBackward(
  rows: Int, hiddenSize: Int, gates: UnsafeMutablePointer<Float>, cellsBefore: UnsafePointer<Float>?,
  tanhCells: UnsafePointer<Float>, hiddenGradients: UnsafePointer<Float>,
  cellGradients: UnsafeMutablePointer<Float>, pool: ThreadPool = .shared,
  instructions: InstructionSet = .current
) {
  let size = hiddenSize
  let step = instructions.table.pointer.pointee.lstm_backward!
  pool.runRows(rows, columns: 8 * size) { range in
    for row in range {
      step(
        gates + row * 4 * size, cellsBefore.map { $0 + row * size }, tanhCells + row * size,
        hiddenGradients + row * size, cellGradients + row * size, size)
    }
  }
}
