extension Tensor {
  /// Some rows of a matrix [N, width], in the order of `rows`.
  public func copied(rows: [Int]) -> Tensor {
    let width = shape[1]
    var result = Tensor(uninitialized: [rows.count, width])
    let memory = result.mutablePointer()
    withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      for (place, row) in rows.enumerated() {
        (memory + place * width).update(from: base + row * width, count: width)
      }
    }
    return result
  }
}
