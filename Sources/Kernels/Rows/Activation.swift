internal import CKernels

/// x += bias in each row of [rows, columns].
public func addBias(_ bias: UnsafePointer<Float>, to x: MutableMatrix, on device: Device) {
  let add = device.kernels.bias_row!
  device.pool.runRows(x.rows, columns: x.columns) { range in
    for row in range { add(x[row], bias, x.columns) }
  }
}

/// x = dropout(ReLU(x + bias)) in each row of [rows, columns].
public func addBiasReLUDropout(
  _ bias: UnsafePointer<Float>, to x: MutableMatrix, _ dropout: Dropout, on device: Device
) {
  let activate = device.kernels.bias_relu_row!
  let parameters = dropout.parameters
  device.pool.runRows(x.rows, columns: x.columns) { range in
    for row in range {
      activate(x[row], bias, x.columns, dropout.position(ofRow: row, columns: x.columns), parameters)
    }
  }
}

/// The gradient through `addBiasReLUDropout`: δx = y > 0 ? δy·scale : 0, in place of δy; y tells the mask.
public func reluDropoutBackward(
  _ y: Matrix, gradient: MutableMatrix, _ dropout: Dropout, on device: Device
) {
  precondition(y.rows == gradient.rows && y.columns == gradient.columns)
  let backward = device.kernels.relu_backward_row!
  let scale = dropout.scale
  device.pool.runRows(y.rows, columns: y.columns) { range in
    for row in range { backward(y[row], gradient[row], y.columns, scale) }
  }
}

/// x = σ(x) in each row of [rows, columns].
public func sigmoid(_ x: MutableMatrix, on device: Device) {
  let sigmoid = device.kernels.sigmoid_row!
  device.pool.runRows(x.rows, columns: 8 * x.columns) { range in
    for row in range { sigmoid(x[row], x[row], x.columns) }
  }
}

/// y = tanh(x) in each row of [rows, columns]; `y` may be `x`.
public func tanhRows(_ x: Matrix, into y: MutableMatrix, on device: Device) {
  precondition(x.rows == y.rows && x.columns == y.columns)
  let activate = device.kernels.tanh_row!
  device.pool.runRows(x.rows, columns: x.columns) { range in
    for row in range { activate(x[row], y[row], x.columns) }
  }
}

/// The gradient through `tanhRows`: δx += δy·(1 − tanh²x).
public func tanhBackward(_ x: Matrix, gradient: Matrix, into dx: MutableMatrix, on device: Device) {
  precondition(x.rows == dx.rows && x.columns == dx.columns)
  precondition(gradient.rows == dx.rows && gradient.columns == dx.columns)
  let backward = device.kernels.tanh_backward_row!
  device.pool.runRows(x.rows, columns: x.columns) { range in
    for row in range { backward(x[row], gradient[row], dx[row], x.columns) }
  }
}

/// y = f(x): x [rows, pieces·K] → y [rows, K].
/// - Parameter slope: that of a (parametric) leaky ReLU below zero.
public func activate(
  _ x: Matrix, _ activation: ActivationName, slope: Float, into y: MutableMatrix, on device: Device
) {
  precondition(x.rows == y.rows && x.columns == activation.pieces * y.columns)
  let columns = y.columns
  if activation == .maxout {
    let larger = device.kernels.maxout_row!
    device.pool.runRows(y.rows, columns: 2 * columns) { range in
      for row in range { larger(x[row], x[row] + columns, y[row], columns) }
    }
    return
  }
  let (activate, kind) = (device.kernels.activation_row!, activation.kernel)
  device.pool.runRows(y.rows, columns: 4 * columns) { range in
    for row in range { activate(kind, slope, x[row], y[row], columns) }
  }
}

/// The gradient through `activate`: δx = δy·f'(x), of δy [rows, K] to δx [rows, pieces·K], which may be δy where a unit has
/// one sum.
public func activationBackward(
  _ x: Matrix, gradient: MutableMatrix, _ activation: ActivationName, slope: Float, into dx: MutableMatrix,
  on device: Device
) {
  precondition(x.rows == dx.rows && x.columns == dx.columns && gradient.rows == x.rows)
  precondition(x.columns == activation.pieces * gradient.columns)
  let columns = gradient.columns
  if activation == .maxout {
    let backward = device.kernels.maxout_backward_row!
    device.pool.runRows(x.rows, columns: 2 * columns) { range in
      for row in range {
        backward(x[row], x[row] + columns, gradient[row], dx[row], dx[row] + columns, columns)
      }
    }
    return
  }
  let (backward, kind) = (device.kernels.activation_backward_row!, activation.kernel)
  device.pool.runRows(x.rows, columns: 4 * columns) { range in
    for row in range {
      if dx.base != gradient.base { dx[row].update(from: gradient[row], count: columns) }
      backward(kind, slope, x[row], dx[row], columns)
    }
  }
}

/// Σ x·δy where x is not above zero, over [rows, columns], rows in order: the gradient of a slope below zero.
public func negativeProducts(_ x: Matrix, _ dy: Matrix, on device: Device) -> Float {
  precondition(x.rows == dy.rows && x.columns == dy.columns)
  let products = device.kernels.negative_products!
  var sums = [Float](repeating: 0, count: x.rows)
  sums.withUnsafeMutableBufferPointer { sums in
    device.pool.runRows(x.rows, columns: x.columns) { range in
      for row in range { sums[row] = products(x[row], dy[row], x.columns) }
    }
  }
  return Float(sums.reduce(0.0) { $0 + Double($1) })
}

extension ActivationName {
  /// The number that the kernels know it by; ReLU is a leaky one that lets nothing through.
  fileprivate var kernel: Int32 {
    switch self {
    case .relu, .leakyReLU, .prelu, .maxout: Int32(CK_LEAKY)
    case .elu: Int32(CK_ELU)
    case .tanh: Int32(CK_TANH)
    case .sigmoid: Int32(CK_SIGMOID)
    }
  }
}
