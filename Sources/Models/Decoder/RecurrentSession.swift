public import Decoding
public import Kernels
public import Layers

/// Sequences that a `RecurrentDecoder` is saying: their states, a row each, and the memory of a step.
public struct RecurrentSession<Cell: RecurrentCell, Condition: Conditioning>: DecodingSession {
  private let decoder: RecurrentDecoder<Cell, Condition>
  private let context: Condition.Context
  private let projections: InputProjectionCache<Cell>
  private let masks: DecoderMasks?
  private let device: Device

  /// The image of each row.
  private var imageRows: [Int32]
  private var states: RecurrentStates<Cell>
  private var trace = Condition.Trace()
  /// Steps taken; of a packed batch, the position that row 0 of the last step was, and that of the next.
  private var step = 0
  private var lastPosition = 0
  private var position = 0
  /// Positions before those of the tokens.
  private var leading = 0
  private var sums = Buffer()
  private var scoring = ScoringMemory()

  init(
    _ decoder: RecurrentDecoder<Cell, Condition>, _ images: ImageFeatures, sharing cache: DecodingCache,
    dropout: DropoutPass?, on device: Device
  ) {
    self.decoder = decoder
    self.device = device
    let masks = dropout.map { decoder.masks($0) }
    self.masks = masks
    context = decoder.conditioning.context(
      of: images, masks.map { ConditioningPass(regionDropout: $0.regions) } ?? .inference, on: device)
    projections = cache.content { InputProjectionCache(decoder.embedding, decoder.stack.layers[0]) }
    imageRows = (0..<Int32(images.count)).map { $0 }
    states = RecurrentStates(layers: decoder.stack.layers.count)
    if let initial = decoder.conditioning.initialStates(context) {
      states.begin(from: initial, rows: imageRows)
    }
  }

  /// How many sequences there are.
  public var rows: Int { imageRows.count }

  /// Reads one token a row.
  public mutating func advance(_ tokens: [Int32]) {
    precondition(tokens.count == rows, "\(tokens.count) tokens for \(rows) rows")
    if step == 0, let first = decoder.conditioning.firstInput(context) { readImages(first) }
    if let masks {
      projections.withSums(of: tokens, under: masks.embedding, firstRow: position, on: device) {
        run(input: $0, between: leading > 0 ? masks.betweenAfterInput : masks.between)
      }
    } else {
      projections.withSums(of: tokens, on: device) { run(input: $0) }
    }
    step += 1
    lastPosition = position
    position += tokens.count
  }

  /// What is read before the first token.
  private mutating func readImages(_ first: Matrix) {
    let layer = decoder.stack.layers[0]
    let input = sums.reserve(first.rows, layer.sums)
    layer.inputSums(first, into: input, on: device)
    let images = imageRows
    images.withUnsafeBufferPointer {
      run(input: SharedRows(Matrix(input), rows: $0.baseAddress), between: masks?.betweenAfterInput ?? [])
    }
    step = 1
    leading = rows
  }

  private mutating func run(input: SharedRows, between: [Dropout] = []) {
    // Taken out while it is written, so that it has one owner.
    var own = Condition.Trace()
    swap(&own, &trace)
    let (conditioning, context, index, images, device) = (
      decoder.conditioning, context, step, imageRows, device
    )
    images.withUnsafeBufferPointer { images in
      decoder.stack.step(
        rows: images.count, input: input, states: &states, dropout: (between, leading + position), on: device
      ) { hidden in
        conditioning.term(
          context, at: ConditioningStep(index: index, images: images, hidden: hidden), into: &own,
          on: device)
      }
    }
    swap(&own, &trace)
  }

  /// What the decoder thinks of the tokens that may follow in some rows.
  public mutating func scores(of rows: Range<Int>) -> TokenScores {
    decoder.output.scores(
      of: states.top.rows(rows), under: masks?.output, firstRow: lastPosition + rows.lowerBound,
      into: &scoring, on: device)
  }

  /// Row i goes on from what row `rows[i]` was.
  public mutating func select(_ rows: [Int32]) {
    imageRows = rows.map { imageRows[Int($0)] }
    states.select(rows, on: device)
  }
}
