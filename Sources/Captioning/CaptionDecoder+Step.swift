internal import Kernels
internal import Layers
internal import Tensors

/// The states of many captions in the making, a row each, and the memory of a step: for search.
struct DecoderState {
  /// h and c [rows, H] of each layer.
  private(set) var hidden, cells: [Tensor]
  /// The image of each row.
  private(set) var imageRows: [Int32]
  private let injected: Tensor
  private var isFirstStep = true
  private var (embedded, gates, dropped, logits) = (Buffer(), Buffer(), Buffer(), Buffer())

  /// One row an image, before the first word: h = c = 0.
  init(_ decoder: CaptionDecoder, v: Tensor, pool: ThreadPool) {
    let (images, size) = (v.shape[0], decoder.configuration.hiddenSize)
    precondition(v.shape.rank == 2 && v.shape[1] == decoder.configuration.imageFeatureSize, "v is \(v.shape)")
    hidden = Array(repeating: Tensor(zeros: [images, size]), count: decoder.configuration.layers)
    cells = hidden
    imageRows = (0..<Int32(images)).map { $0 }
    var injected = Tensor(uninitialized: [images, 4 * size])
    decoder.imageToHidden.forward(rows: images, v.pointer, into: injected.mutablePointer(), pool: pool)
    self.injected = injected
  }

  var rows: Int { imageRows.count }

  /// Reads one word a row and leaves W_out h in memory for `rows` rows of V logits, without the bias.
  /// - Parameter dropout: as training has it where its row `first` is row 0 here.
  mutating func step(
    _ decoder: CaptionDecoder, words: [Int32],
    dropout: (masks: CaptionDecoder.Masks, first: Int)? = nil, pool: ThreadPool
  ) -> UnsafeMutablePointer<Float> {
    precondition(words.count == rows, "\(words.count) words for \(rows) rows")
    let configuration = decoder.configuration
    let embedded = embedded.reserve(rows * configuration.embeddingSize)
    words.withUnsafeBufferPointer { words in
      if let first = words.baseAddress {
        decoder.embedding.forward(rows: rows, first, into: embedded, pool: pool)
      }
    }
    if let dropout {
      dropout.masks.embedding.apply(
        firstRow: dropout.first, rows: rows, columns: configuration.embeddingSize, embedded, into: embedded,
        pool: pool)
    }
    let seesImage = isFirstStep || configuration.injection == .everyStep
    let gates = gates.reserve(rows * 4 * configuration.hiddenSize)
    let dropped = dropped.reserve(dropout == nil ? 0 : rows * configuration.hiddenSize)
    let h = hidden.indices.map { hidden[$0].mutablePointer() }
    let c = cells.indices.map { cells[$0].mutablePointer() }
    imageRows.withUnsafeBufferPointer { imageRows in
      decoder.lstm.step(
        rows: rows, embedded, injected: seesImage ? injected.pointer : nil, imageRows: imageRows.baseAddress,
        gates: gates, h: h, c: c, dropout: dropout.map { ($0.masks.between, $0.first, dropped) }, pool: pool)
    }
    isFirstStep = false
    let logits = logits.reserve(rows * configuration.vocabularySize)
    if let dropout {
      dropout.masks.output.apply(
        firstRow: dropout.first, rows: rows, columns: configuration.hiddenSize, h[h.count - 1], into: dropped,
        pool: pool)
      decoder.output.linear.product(rows: rows, dropped, into: logits, pool: pool)
    } else {
      decoder.output.linear.product(rows: rows, h[h.count - 1], into: logits, pool: pool)
    }
    return logits
  }

  /// Row i becomes what row `parents[i]` was; rows may be copied or dropped.
  mutating func gather(_ parents: [Int32], pool: ThreadPool) {
    imageRows = parents.map { imageRows[Int($0)] }
    hidden = hidden.map { gathered($0, parents, pool) }
    cells = cells.map { gathered($0, parents, pool) }
  }

  private func gathered(_ x: Tensor, _ parents: [Int32], _ pool: ThreadPool) -> Tensor {
    var y = Tensor(uninitialized: [parents.count, x.shape[1]])
    let memory = y.mutablePointer()
    parents.withUnsafeBufferPointer { parents in
      guard let first = parents.baseAddress else { return }
      withExtendedLifetime(x) {
        gatherRows(rows: parents.count, columns: x.shape[1], from: x.pointer, first, into: memory, pool: pool)
      }
    }
    return y
  }
}
