internal import CKernels

/// A right factor [k, n] laid out once for products of a few rows with it, one after the other, as the steps of a
/// recurrent network take them: a general product lays it out anew each time.
public struct PackedFactor {
  private let panels: UnsafePointer<Float>
  /// Rows of each panel, and columns.
  private let depth, panelColumns: Int
  /// k and n.
  let rowCount, columnCount: Int

  private init(_ panels: UnsafePointer<Float>, depth: Int, rows: Int, columns: Int, panelColumns: Int) {
    self.panels = panels
    self.depth = depth
    self.panelColumns = panelColumns
    rowCount = rows
    columnCount = columns
  }

  /// The fewest rows of products that are worth it.
  public static let leastRows = 4

  /// Floats that a packed factor [rows, columns] takes.
  public static func scalars(rows: Int, columns: Int, on device: Device) -> Int {
    let width = device.kernels.panel_columns
    return (columns + width - 1) / width * width * rows
  }

  /// Lays a factor out in `memory`, which has room for `scalars` floats and must outlive it.
  public init(_ factor: Factor, in memory: UnsafeMutablePointer<Float>, on device: Device) {
    let (rows, columns, stored) = (factor.rowCount, factor.columnCount, factor.stored)
    let kernels = device.kernels
    let width = kernels.panel_columns
    let step = width * max(1, 16_384 / max(1, width * rows))
    device.pool.runChunks(of: columns, size: step) { range in
      let panels = memory + range.lowerBound * rows
      if factor.isTransposed {
        kernels.pack_columns(stored[range.lowerBound], stored.stride, rows, range.count, panels)
      } else {
        kernels.pack_rows(stored.base + range.lowerBound, stored.stride, rows, range.count, panels)
      }
    }
    self.init(memory, depth: rows, rows: rows, columns: columns, panelColumns: width)
  }

  /// Some of its rows; the memory is shared.
  func rows(_ range: Range<Int>) -> PackedFactor {
    PackedFactor(
      panels + range.lowerBound * panelColumns, depth: depth, rows: range.count, columns: columnCount,
      panelColumns: panelColumns)
  }

  /// Some of its columns; nil where they don't begin with a panel.
  func columns(_ range: Range<Int>) -> PackedFactor? {
    guard range.lowerBound.isMultiple(of: panelColumns) else { return nil }
    return PackedFactor(
      panels + range.lowerBound * depth, depth: depth, rows: rowCount, columns: range.count,
      panelColumns: panelColumns)
  }

  /// C = A·B, or C += A·B where `adds`, of A [m, k] and this B.
  func multiply(_ a: Matrix, into c: MutableMatrix, adds: Bool, on device: Device) {
    precondition(
      a.rows == c.rows && a.columns == rowCount && c.columns == columnCount,
      "\(a.rows)×\(a.columns) times \(rowCount)×\(columnCount) into \(c.rows)×\(c.columns)")
    let product = device.kernels.packed_product!
    // Pieces of about 4 million multiplications, as those of `Kernels.multiply`.
    let pieces = min(16, max(1, a.rows * rowCount * columnCount / 4_000_000))
    let panels = (columnCount + panelColumns - 1) / panelColumns
    device.pool.runChunks(of: columnCount, size: (panels + pieces - 1) / pieces * panelColumns) { range in
      product(
        ck_packed(
          panels: self.panels + range.lowerBound * depth, depth: depth, count: rowCount,
          columns: range.count),
        a.base, a.stride, a.rows, c.base + range.lowerBound, c.stride, adds ? 1 : 0)
    }
  }
}
