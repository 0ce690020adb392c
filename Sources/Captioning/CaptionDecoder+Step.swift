internal import Kernels
internal import Layers
internal import Tensors

/// The states of many captions in the making, a row each, and the memory of a step: for search.
struct DecoderState {
  /// The image of each row.
  private(set) var imageRows: [Int32]
  /// What the rows go on from, and memory for what comes next; the two change places.
  private var (states, next): (States, States)
  /// The state that each row goes on from.
  private var parents: [Int32] = []
  private var isFirstStep = true
  private let injected: Tensor
  private let wordSums: WordSums
  private var (embedded, inputs, recurrent) = (Buffer(), Buffer(), Buffer())
  private var (dropped, logits) = (Buffer(), Buffer())

  /// One row an image, before the first word.
  /// - Parameter wordSums: of the decoder, to be used again for other images.
  init(_ decoder: CaptionDecoder, v: Tensor, wordSums: WordSums? = nil, pool: ThreadPool) {
    let (images, size) = (v.shape[0], decoder.configuration.hiddenSize)
    precondition(v.shape.rank == 2 && v.shape[1] == decoder.configuration.imageFeatureSize, "v is \(v.shape)")
    imageRows = (0..<Int32(images)).map { $0 }
    var injected = Tensor(uninitialized: [images, 4 * size])
    decoder.imageToHidden.forward(rows: images, v.pointer, into: injected.mutablePointer(), pool: pool)
    self.injected = injected
    self.wordSums = wordSums ?? WordSums(decoder)
    states = States(layers: decoder.configuration.layers)
    next = states
  }

  var rows: Int { imageRows.count }

  /// Reads one word a row and leaves W_out h in memory for `rows` rows of V logits, without the bias.
  /// - Parameter dropout: as training has it where its row `first` is row 0 here.
  mutating func step(
    _ decoder: CaptionDecoder, words: [Int32],
    dropout: (masks: CaptionDecoder.Masks, first: Int)? = nil, pool: ThreadPool
  ) -> UnsafeMutablePointer<Float> {
    read(decoder, words: words, dropout: dropout, pool: pool)
    return logits(decoder, of: 0..<rows, dropout: dropout, pool: pool)
  }

  /// Reads one word a row.
  mutating func read(
    _ decoder: CaptionDecoder, words: [Int32],
    dropout: (masks: CaptionDecoder.Masks, first: Int)? = nil, pool: ThreadPool
  ) {
    precondition(words.count == rows, "\(words.count) words for \(rows) rows")
    if let dropout {
      runLSTM(
        decoder, input: input(decoder, words, dropout.masks.embedding, dropout.first, pool), dropout, pool)
    } else {
      wordSums.of(words, pool: pool) { runLSTM(decoder, input: $0, nil, pool) }
    }
  }

  /// W_out h of some rows, without the bias, in memory that the next call uses again.
  mutating func logits(
    _ decoder: CaptionDecoder, of rows: Range<Int>,
    dropout: (masks: CaptionDecoder.Masks, first: Int)? = nil, pool: ThreadPool
  ) -> UnsafeMutablePointer<Float> {
    let size = decoder.configuration.hiddenSize
    var top = states.h[states.h.count - 1].pointer + rows.lowerBound * size
    if let dropout {
      let dropped = dropped.reserve(rows.count * size)
      dropout.masks.output.apply(
        firstRow: dropout.first + rows.lowerBound, rows: rows.count, columns: size, top, into: dropped,
        pool: pool)
      top = UnsafePointer(dropped)
    }
    let logits = logits.reserve(rows.count * decoder.configuration.vocabularySize)
    decoder.output.linear.product(rows: rows.count, top, into: logits, pool: pool)
    return logits
  }

  /// What the lowest layer reads, under dropout.
  private mutating func input(
    _ decoder: CaptionDecoder, _ words: [Int32], _ dropout: Dropout, _ first: Int, _ pool: ThreadPool
  ) -> GateSums {
    let size = decoder.configuration.embeddingSize
    let embedded = embedded.reserve(rows * size)
    decoder.embedding.forward(rows: rows, words, into: embedded, pool: pool)
    dropout.apply(firstRow: first, rows: rows, columns: size, embedded, into: embedded, pool: pool)
    let sums = inputs.reserve(rows * 4 * decoder.configuration.hiddenSize)
    decoder.lstm.layers[0].inputSums(rows: rows, embedded, into: sums, pool: pool)
    return GateSums(sums)
  }

  private mutating func runLSTM(
    _ decoder: CaptionDecoder, input: GateSums, _ dropout: (masks: CaptionDecoder.Masks, first: Int)?,
    _ pool: ThreadPool
  ) {
    let (rows, size) = (rows, decoder.configuration.hiddenSize)
    let layers = decoder.lstm.layers.indices
    let (h, c) = next.reserve(rows: rows, size)
    let scratch = (
      inputs.reserve(layers.count > 1 ? rows * 4 * size : 0), recurrent.reserve(states.rows * 4 * size)
    )
    let dropped = dropped.reserve(dropout == nil ? 0 : rows * size)
    let seesImage = isFirstStep || decoder.configuration.injection == .everyStep
    imageRows.withUnsafeBufferPointer { imageRows in
      parents.withUnsafeBufferPointer { parents in
        let before = layers.map {
          LSTMStates(
            rows: states.rows, h: states.h[$0].pointer, c: states.c[$0].pointer, parents: parents.baseAddress)
        }
        decoder.lstm.step(
          rows: rows, input: input,
          injected: seesImage ? GateSums(injected.pointer, rows: imageRows.baseAddress) : nil,
          before: isFirstStep ? nil : before, scratch: scratch, h: h, c: c,
          dropout: dropout.map { ($0.masks.between, $0.first, dropped) }, pool: pool)
      }
    }
    swap(&states, &next)
    parents = (0..<Int32(rows)).map { $0 }
    isFirstStep = false
  }

  /// Row i goes on from what row `rows[i]` was; rows may be copied or dropped.
  ///
  /// The next step multiplies the state of a parent once, however many rows go on from it.
  mutating func gather(_ rows: [Int32], pool: ThreadPool) {
    imageRows = rows.map { imageRows[Int($0)] }
    if isFirstStep { return }  // all are zero
    var places = [Int32](repeating: -1, count: states.rows)
    var distinct: [Int32] = []
    parents = rows.map { row in
      let parent = Int(parents[Int(row)])
      if places[parent] < 0 {
        places[parent] = Int32(distinct.count)
        distinct.append(Int32(parent))
      }
      return places[parent]
    }
    states.gather(distinct, into: &next, pool: pool)
    swap(&states, &next)
  }
}

/// h and c [rows, H] of each layer.
private struct States {
  private(set) var rows = 0
  private var size = 0
  private(set) var h, c: [Buffer]

  init(layers: Int) {
    h = Array(repeating: Buffer(), count: layers)
    c = h
  }

  mutating func reserve(rows: Int, _ size: Int) -> (
    h: [UnsafeMutablePointer<Float>], c: [UnsafeMutablePointer<Float>]
  ) {
    (self.rows, self.size) = (rows, size)
    return (h.indices.map { h[$0].reserve(rows * size) }, c.indices.map { c[$0].reserve(rows * size) })
  }

  func gather(_ chosen: [Int32], into others: inout States, pool: ThreadPool) {
    let memory = others.reserve(rows: chosen.count, size)
    for (from, to) in zip(h + c, memory.h + memory.c) {
      gatherRows(rows: chosen.count, columns: size, from: from.pointer, chosen, into: to, pool: pool)
    }
  }
}
