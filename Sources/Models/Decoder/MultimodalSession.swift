public import Decoding
public import Kernels
internal import Layers
internal import Tensors

/// Sequences that a `MultimodalDecoder` is saying: their states, a row each, and what word, state and image are together.
public struct MultimodalSession<Cell: RecurrentCell>: DecodingSession {
  private let decoder: MultimodalDecoder<Cell>
  /// V_I v + b [N, M].
  private let context: Tensor
  private let projections: InputProjectionCache<Cell>
  private let masks: DecoderMasks?
  private let device: Device

  /// The image of each row.
  private var imageRows: [Int32]
  private var states: RecurrentStates<Cell>
  /// Of a packed batch, the position that row 0 of the last step was, and that of the next.
  private var lastPosition = 0
  private var position = 0
  private var embedded = Buffer()
  private var sums = Buffer()
  private var joined = RowMemory()
  private var scoring = ScoringMemory()

  init(
    _ decoder: MultimodalDecoder<Cell>, _ images: ImageFeatures, sharing cache: DecodingCache,
    dropout: DropoutPass?, on device: Device
  ) {
    self.decoder = decoder
    self.device = device
    masks = dropout.map { decoder.masks($0) }
    context = decoder.multimodal.context(of: images, on: device)
    projections = cache.content { InputProjectionCache(decoder.embedding, decoder.stack.layers[0]) }
    imageRows = (0..<Int32(images.count)).map { $0 }
    states = RecurrentStates(layers: decoder.stack.layers.count)
  }

  /// How many sequences there are.
  public var rows: Int { imageRows.count }

  /// Reads one token a row.
  public mutating func advance(_ tokens: [Int32]) {
    precondition(tokens.count == rows, "\(tokens.count) tokens for \(rows) rows")
    let x = embedded.reserve(rows, decoder.embedding.size)
    decoder.embedding.forward(tokens, into: x, on: device)
    if let masks {
      masks.embedding.apply(Matrix(x), into: x, firstRow: position, on: device)
      let layer = decoder.stack.layers[0]
      let input = sums.reserve(rows, layer.sums)
      layer.inputSums(Matrix(x), into: input, on: device)
      step(SharedRows(Matrix(input)), between: masks.between)
    } else {
      projections.withSums(of: tokens, on: device) { step($0, between: []) }
    }
    let m = joined.reserve(rows, decoder.multimodal.outputs)
    imageRows.withUnsafeBufferPointer {
      decoder.multimodal.forward(Matrix(x), states.top, images: $0, context, into: m, on: device)
    }
    lastPosition = position
    position += tokens.count
  }

  private mutating func step(_ input: SharedRows, between: [Dropout]) {
    decoder.stack.step(
      rows: imageRows.count, input: input, states: &states, dropout: (between, position), on: device)
  }

  /// What the decoder thinks of the tokens that may follow in some rows.
  public mutating func scores(of rows: Range<Int>) -> TokenScores {
    decoder.output.scores(
      of: joined.matrix.rows(rows), under: masks?.output, firstRow: lastPosition + rows.lowerBound,
      into: &scoring, on: device)
  }

  /// Row i goes on from what row `rows[i]` was.
  public mutating func select(_ rows: [Int32]) {
    imageRows = rows.map { imageRows[Int($0)] }
    states.select(rows, on: device)
    joined.select(rows, on: device)
  }
}
