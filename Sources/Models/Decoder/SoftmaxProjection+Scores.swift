internal import Decoding
internal import Kernels
internal import Layers

/// Memory in which a session scores tokens.
struct ScoringMemory: Sendable {
  fileprivate var dropped = Buffer()
  fileprivate var logits = Buffer()
}

extension SoftmaxProjection {
  /// What it makes of some h [rows, H], in memory that the next call uses again. It must outlive the scores.
  /// - Parameters:
  ///   - dropout: of h, in a training step; nil: none.
  ///   - firstRow: what row 0 is among the positions of that step.
  func scores(
    of hidden: Matrix, under dropout: Dropout?, firstRow: Int, into memory: inout ScoringMemory,
    on device: Device
  ) -> TokenScores {
    var hidden = hidden
    if let dropout {
      let dropped = memory.dropped.reserve(hidden.rows, hidden.columns)
      dropout.apply(hidden, into: dropped, firstRow: firstRow, on: device)
      hidden = Matrix(dropped)
    }
    let logits = memory.logits.reserve(hidden.rows, linear.outputs)
    linear.product(hidden, into: logits, on: device)
    return TokenScores(logits, bias: linear.bias?.value.pointer, on: device)
  }
}
