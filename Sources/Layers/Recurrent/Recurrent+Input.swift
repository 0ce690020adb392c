public import Kernels

/// What the input adds to the sums of the gates, and its gradient.
extension Recurrent {
  /// W_xh x, and x itself where a gate reads it, [rows, G·H], of some inputs x [rows, E].
  public func inputTerms(_ x: some LayerInput, into sums: MutableMatrix, on device: Device) {
    x.product(inputMatrix, into: sums.columns(columns(Cell.inputGates)), on: device)
    guard let direct = Cell.directInput, let x = vectors(of: x) else { return }
    let own = sums.columns(columns(direct.gate..<direct.gate + 1))
    if direct.isSquashed {
      tanhRows(x, into: own, on: device)
    } else {
      for row in 0..<x.rows { own[row].update(from: x[row], count: x.columns) }
    }
  }

  /// x itself, which a gate reads.
  private func vectors(of x: some LayerInput) -> Matrix? {
    precondition(x.vectors != nil, "\(Cell.name) reads its input itself")
    return x.vectors
  }

  /// The gradient of x, given that of the sums.
  func inputBackward(
    _ x: some LayerInput, _ sums: Matrix, into dx: MutableMatrix, on device: Device
  ) {
    multiply(.plain(sums.columns(columns(Cell.inputGates))), .plain(inputMatrix), into: dx, on: device)
    guard let direct = Cell.directInput, let x = vectors(of: x) else { return }
    let own = sums.columns(columns(direct.gate..<direct.gate + 1))
    if direct.isSquashed {
      tanhBackward(x, gradient: own, into: dx, on: device)
    } else {
      addRows(own, to: dx, on: device)
    }
  }

  /// The gradient of some of the inputs' columns, where no gate reads x itself: δsums W_xh[columns] + beta·dx → dx
  /// [rows, columns].
  public func inputGradient(
    _ sums: Matrix, columns: Range<Int>, into dx: MutableMatrix, beta: Float, on device: Device
  ) {
    precondition(Cell.directInput == nil, "\(Cell.name) reads all of x")
    multiply(
      .plain(sums.columns(self.columns(Cell.inputGates))), .plain(inputMatrix.columns(columns)), into: dx,
      beta: beta,
      on: device)
  }

  /// W_xh x + b of some inputs x [rows, E] → sums [rows, G·H].
  public func inputSums(_ x: some LayerInput, into sums: MutableMatrix, on device: Device) {
    inputTerms(x, into: sums, on: device)
    addBias(bias.value.pointer, to: sums, on: device)
  }
}
