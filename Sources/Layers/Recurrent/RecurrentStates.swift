public import Kernels

/// The states of many sequences in the making, a row each, in every layer of a stack: what inference steps go on from.
public struct RecurrentStates<Cell: RecurrentCell>: Sendable {
  /// [rows, H] of each layer's states, h first.
  private struct Memory: Sendable {
    var rows = 0
    var layers: [[Buffer]]

    mutating func reserve(rows: Int, _ hidden: Int) -> [[MutableMatrix]] {
      self.rows = rows
      return layers.indices.map { layer in
        layers[layer].indices.map {
          MutableMatrix(layers[layer][$0].reserve(rows * hidden), rows: rows, columns: hidden)
        }
      }
    }

    func matrices(_ layer: Int, _ hidden: Int) -> [Matrix] {
      layers[layer].map { Matrix($0.pointer, rows: rows, columns: hidden) }
    }
  }

  // What the rows go on from, and memory for what comes next; the two change places.
  private var states: Memory
  private var next: Memory
  /// The state that each row goes on from.
  private var parents: [Int32] = []
  private var hidden = 0
  /// Whether no step has been taken: all states are zero.
  public private(set) var isFirst = true
  private var cell = Buffer()
  private var sums = Buffer()
  private var dropped = Buffer()
  // What the top layer passes on, where that is not its h.
  private var output = Buffer()
  private var isResidual = false

  /// The states of a stack of so many layers before the first step.
  public init(layers: Int) {
    states = Memory(layers: Array(repeating: Array(repeating: Buffer(), count: Cell.states), count: layers))
    next = states
  }

  /// Begins with states instead of zeros, before the first step: layer by layer, the states of some parents [R, H], h
  /// first, row i going on from parent `rows[i]`.
  public mutating func begin(from initial: [[Matrix]], rows: [Int32]) {
    precondition(isFirst && initial.count == states.layers.count, "\(initial.count) layers")
    let (parents, hidden) = (initial[0][0].rows, initial[0][0].columns)
    for (from, to) in zip(initial, states.reserve(rows: parents, hidden)) {
      for (from, to) in zip(from, to) {
        for row in 0..<parents { to[row].update(from: from[row], count: hidden) }
      }
    }
    self.hidden = hidden
    self.parents = rows
    isFirst = false
  }

  /// Memory for what a layer computes on the way.
  public struct Scratch {
    /// What a cell's step asks for.
    public let cell: UnsafeMutablePointer<Float>
    /// A layer's sums [rows, G·H]; of use to layers above the first.
    public let sums: UnsafeMutablePointer<Float>
    /// What a layer reads [rows, H], under dropout; of use to layers above the first.
    public let dropped: UnsafeMutablePointer<Float>
    /// What a residual layer passes on [rows, H].
    public let output: UnsafeMutablePointer<Float>
  }

  /// Calls `body` with each layer from the bottom up, the states of all layers that the rows go on from, nil before the
  /// first step, and those after the step, of which it writes its own layer's.
  public mutating func advance(
    rows: Int, hidden: Int, isResidual: Bool = false,
    _ body: (_ layer: Int, _ before: [CellStates]?, _ after: [[MutableMatrix]], _ scratch: Scratch) -> Void
  ) {
    self.hidden = hidden
    let layers = states.layers.count
    self.isResidual = isResidual && layers > 1
    let after = next.reserve(rows: rows, hidden)
    let scratch = Scratch(
      cell: cell.reserve(max(rows, states.rows) * Cell.scratch * hidden),
      sums: sums.reserve(layers > 1 ? rows * Cell.gates * hidden : 0),
      dropped: dropped.reserve(layers > 1 ? rows * hidden : 0),
      output: output.reserve(self.isResidual ? rows * hidden : 0))
    parents.withUnsafeBufferPointer { parents in
      let before = (0..<layers).map {
        CellStates(states.matrices($0, hidden), rows: parents.baseAddress)
      }
      for layer in 0..<layers { body(layer, isFirst ? nil : before, after, scratch) }
    }
    swap(&states, &next)
    parents = (0..<Int32(rows)).map { $0 }
    isFirst = false
  }

  /// What the top layer passed on at the last step [rows, H]: h, usually.
  public var top: Matrix {
    isResidual
      ? Matrix(output.pointer, rows: states.rows, columns: hidden)
      : states.matrices(states.layers.count - 1, hidden)[0]
  }

  /// Row i goes on from what row `rows[i]` was; rows may be copied or dropped.
  ///
  /// The next step multiplies the state of a parent once, however many rows go on from it.
  public mutating func select(_ rows: [Int32], on device: Device) {
    if isFirst { return }
    var places = [Int32](repeating: -1, count: states.rows)
    var distinct: [Int32] = []
    parents = rows.map { row in
      let parent = Int(parents[Int(row)])
      if places[parent] < 0 {
        places[parent] = Int32(distinct.count)
        distinct.append(Int32(parent))
      }
      return places[parent]
    }
    let memory = next.reserve(rows: distinct.count, hidden)
    for (layer, after) in memory.enumerated() {
      for (from, to) in zip(states.matrices(layer, hidden), after) {
        gatherRows(distinct, of: from, into: to, on: device)
      }
    }
    swap(&states, &next)
  }
}
