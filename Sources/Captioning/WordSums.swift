internal import Kernels
internal import Layers
internal import Tensors

/// W_xh W_e[word] + b of the words that have been read: what a word adds to the lowest layer's gates is the same
/// wherever it stands, so it is computed once. Not for use by two threads at once.
final class WordSums {
  private let decoder: CaptionDecoder
  /// The table's row of each word; -1 where there is none.
  private var places: [Int32]
  private var count = 0
  private var table = Tensor(uninitialized: [0])
  private var embedded = Buffer()

  init(_ decoder: CaptionDecoder) {
    self.decoder = decoder
    places = Array(repeating: -1, count: decoder.configuration.vocabularySize)
  }

  /// Calls `body` with sums of 4H and the row of each of some words.
  func of<Result>(_ words: [Int32], pool: ThreadPool, _ body: (GateSums) -> Result) -> Result {
    fill(words, pool: pool)
    let rows = words.map { places[Int($0)] }
    return rows.withUnsafeBufferPointer { body(GateSums(table.pointer, rows: $0.baseAddress)) }
  }

  private func fill(_ words: [Int32], pool: ThreadPool) {
    let vocabulary = places.count
    var missing: [Int32] = []
    func add(_ word: Int32) {
      guard places[Int(word)] < 0 else { return }
      places[Int(word)] = Int32(count + missing.count)
      missing.append(word)
    }
    words.forEach(add)
    if missing.isEmpty { return }
    // The whole vocabulary costs as much as so many rows through eight steps: where that is little, all at once.
    if words.count >= vocabulary / 8 { (0..<Int32(vocabulary)).forEach(add) }
    let (width, size) = (4 * decoder.configuration.hiddenSize, decoder.configuration.embeddingSize)
    grow(to: (count + missing.count) * width)
    let embedded = embedded.reserve(missing.count * size)
    decoder.embedding.forward(rows: missing.count, missing, into: embedded, pool: pool)
    decoder.lstm.layers[0].inputSums(
      rows: missing.count, embedded, into: table.mutablePointer() + count * width, pool: pool)
    count += missing.count
  }

  private func grow(to needed: Int) {
    guard table.count < needed else { return }
    var larger = Tensor(uninitialized: [max(needed, 2 * table.count)])
    larger.mutablePointer().update(from: table.pointer, count: table.count)
    table = larger
  }
}
