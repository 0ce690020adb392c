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

/// x = tanh(x) in each row of [rows, columns].
public func tanh(_ x: MutableMatrix, on device: Device) {
  let tanh = device.kernels.tanh_row!
  device.pool.runRows(x.rows, columns: 8 * x.columns) { range in
    for row in range { tanh(x[row], x[row], x.columns) }
  }
}
