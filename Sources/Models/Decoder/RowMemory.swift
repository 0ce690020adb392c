internal import Kernels
internal import Layers

/// A matrix of a row for each sequence of a session, whose rows are copied, dropped and put in another order with them.
struct RowMemory: Sendable {
  private var memory = Buffer()
  private var other = Buffer()
  private var rows = 0
  private var columns = 0

  /// Room for a matrix [rows, columns].
  mutating func reserve(_ rows: Int, _ columns: Int) -> MutableMatrix {
    self.rows = rows
    self.columns = columns
    return memory.reserve(rows, columns)
  }

  /// What was reserved and written; without rows before.
  var matrix: Matrix { Matrix(memory.pointer, rows: rows, columns: columns) }

  /// Row i is what row `rows[i]` was; nothing to do before there are rows.
  mutating func select(_ rows: [Int32], on device: Device) {
    guard columns > 0 else { return }
    gatherRows(rows, of: matrix, into: other.reserve(rows.count, columns), on: device)
    swap(&memory, &other)
    self.rows = rows.count
  }
}
