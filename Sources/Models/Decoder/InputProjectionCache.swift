internal import Kernels
internal import Layers
internal import Tensors

/// W_xh W_e[token] + b of the tokens that have been read: what a token adds to the lowest layer's gates is the same
/// wherever it stands, so it is computed once. Not for use by two threads at once.
final class InputProjectionCache<Cell: RecurrentCell> {
  private let embedding: Embedding
  private let layer: Recurrent<Cell>
  /// The table's row of each token; -1 where there is none.
  private var places: [Int32]
  private var count = 0
  private var table = Tensor(uninitialized: [0])
  private var embedded = Buffer()
  private var sums = Buffer()

  init(_ embedding: Embedding, _ layer: Recurrent<Cell>) {
    self.embedding = embedding
    self.layer = layer
    places = Array(repeating: -1, count: embedding.vocabularySize)
  }

  /// Calls `body` with the sums of some tokens, a row of G·H each.
  func withSums<Result>(of tokens: [Int32], on device: Device, _ body: (SharedRows) -> Result) -> Result {
    fill(tokens, device)
    let rows = tokens.map { places[Int($0)] }
    return rows.withUnsafeBufferPointer {
      body(
        SharedRows(
          Matrix(table.pointer, rows: count, columns: layer.sums), rows: $0.baseAddress))
    }
  }

  /// The same of tokens whose embedding is under dropout, which makes it another at every place.
  /// - Parameter firstRow: what row 0 is among the positions of the training step.
  func withSums<Result>(
    of tokens: [Int32], under dropout: Dropout, firstRow: Int, on device: Device,
    _ body: (SharedRows) -> Result
  ) -> Result {
    let x = embedded.reserve(tokens.count, embedding.size)
    embedding.forward(tokens, into: x, on: device)
    dropout.apply(Matrix(x), into: x, firstRow: firstRow, on: device)
    let result = sums.reserve(tokens.count, layer.sums)
    layer.inputSums(Matrix(x), into: result, on: device)
    return body(SharedRows(Matrix(result)))
  }

  private func fill(_ tokens: [Int32], _ device: Device) {
    let vocabulary = places.count
    var missing: [Int32] = []
    func add(_ token: Int32) {
      guard places[Int(token)] < 0 else { return }
      places[Int(token)] = Int32(count + missing.count)
      missing.append(token)
    }
    tokens.forEach(add)
    if missing.isEmpty { return }
    // The whole vocabulary costs as much as so many rows through eight steps: where that is little, all at once.
    if tokens.count >= vocabulary / 8 { (0..<Int32(vocabulary)).forEach(add) }
    let width = layer.sums
    grow(to: (count + missing.count) * width)
    let x = embedded.reserve(missing.count, embedding.size)
    embedding.forward(missing, into: x, on: device)
    layer.inputSums(
      Matrix(x),
      into: MutableMatrix(
        table.mutablePointer() + count * width, rows: missing.count, columns: width), on: device)
    count += missing.count
  }

  private func grow(to needed: Int) {
    guard table.count < needed else { return }
    var larger = Tensor(uninitialized: [max(needed, 2 * table.count)])
    larger.mutablePointer().update(from: table.pointer, count: table.count)
    table = larger
  }
}
