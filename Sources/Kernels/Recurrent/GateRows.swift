internal import CKernels

extension GateSums {
  /// The terms of row `row` from gate number `gate` on, with the row of W_hh h if there is one.
  func row(
    _ row: Int, recurrent: UnsafePointer<Float>?, from gate: Int = 0, _ hidden: Int
  ) -> ck_gate_sums {
    let at = gate * hidden
    return ck_gate_sums(
      input: input[row] + at, bias: bias.map { $0 + at }, recurrent: recurrent,
      context: context.map { $0[row] + at })
  }
}
