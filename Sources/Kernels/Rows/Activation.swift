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
      activate(x[row], bias, x.columns, UInt32(truncatingIfNeeded: row * x.columns), parameters)
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
