extension ThreadPool {
  /// Cuts 0..<count into pieces of `size` (the last may be shorter): by the count alone, whatever the threads.
  func runPieces(of count: Int, size: Int, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    if count <= size { return body(0..<count) }
    run((count + size - 1) / size) { piece in body(piece * size..<min(count, (piece + 1) * size)) }
  }

  /// Cuts rows of `columns` scalars into pieces of about 16,000 scalars.
  func runRows(_ rows: Int, columns: Int, _ body: (Range<Int>) -> Void) {
    runPieces(of: rows, size: max(1, 16_384 / max(1, columns)), body)
  }
}
