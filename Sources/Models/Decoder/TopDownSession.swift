public import Decoding
public import Kernels
internal import Layers

/// Sequences that a `TopDownDecoder` is saying: their states, a row each, and the memory of a step.
public struct TopDownSession<Cell: RecurrentCell>: DecodingSession {
  private let decoder: TopDownDecoder<Cell>
  private let context: TopDownDecoder<Cell>.Context
  private let projections: InputProjectionCache<Cell>
  private let masks: DecoderMasks?
  private let device: Device

  /// The image of each row.
  private var imageRows: [Int32]
  private var states = RecurrentStates<Cell>(layers: 2)
  private var attention = RegionAttention.Trace()
  /// Steps taken; of a packed batch, the position that row 0 of the last step was, and that of the next.
  private var step = 0
  private var lastPosition = 0
  private var position = 0
  private var term = Buffer()
  private var seen = Buffer()
  private var scoring = ScoringMemory()

  init(
    _ decoder: TopDownDecoder<Cell>, _ images: ImageFeatures, sharing cache: DecodingCache,
    dropout: DropoutPass?, on device: Device
  ) {
    self.decoder = decoder
    self.device = device
    let masks = dropout.map { decoder.masks($0) }
    self.masks = masks
    context = decoder.context(
      of: images, masks.map { ConditioningPass(regionDropout: $0.regions) } ?? .inference, on: device)
    projections = cache.content { InputProjectionCache(decoder.embedding, decoder.looking) }
    imageRows = (0..<Int32(images.count)).map { $0 }
  }

  /// How many sequences there are.
  public var rows: Int { imageRows.count }

  /// Reads one token a row.
  public mutating func advance(_ tokens: [Int32]) {
    precondition(tokens.count == rows, "\(tokens.count) tokens for \(rows) rows")
    if let masks {
      projections.withSums(of: tokens, under: masks.embedding, firstRow: position, on: device) {
        run(input: $0)
      }
    } else {
      projections.withSums(of: tokens, on: device) { run(input: $0) }
    }
    step += 1
    lastPosition = position
    position += tokens.count
  }

  private mutating func run(input: SharedRows) {
    // Taken out while the states are written, so that each has one owner.
    var own = RegionAttention.Trace()
    var memory = Buffer()
    swap(&own, &attention)
    swap(&memory, &term)
    let read = seen.reserve(rows, decoder.valueSize + decoder.looking.hidden)
    let (decoder, context, step, device, images) = (decoder, context, step, device, imageRows)
    images.withUnsafeBufferPointer { images in
      states.advance(rows: images.count, hidden: decoder.looking.hidden) { layer, before, after, scratch in
        guard layer > 0 else {
          let term = decoder.lookingTerm(
            context, at: step, images, spoken: before?[1].hidden, into: &memory, device)
          return decoder.looking.step(
            input: input, context: term, before: before?[0], into: after[0], scratch: scratch.cell, on: device
          )
        }
        let looked = Matrix(after[0][0])
        let z = decoder.attention.attend(
          context.regions, images: images, hidden: looked, positions: nil, into: &own, on: device)
        decoder.join(Matrix(z), looked, into: read)
        let sums = MutableMatrix(scratch.sums, rows: images.count, columns: decoder.speaking.sums)
        decoder.speaking.inputSums(Matrix(read), into: sums, on: device)
        decoder.speaking.step(
          input: SharedRows(Matrix(sums)), context: nil, before: before?[1], into: after[1],
          scratch: scratch.cell, on: device)
      }
    }
    swap(&memory, &term)
    swap(&own, &attention)
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
