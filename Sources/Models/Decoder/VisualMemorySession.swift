public import Decoding
public import Kernels
internal import Layers
internal import Tensors

/// Sequences that a `VisualMemoryDecoder` is saying: the states of both layers, a row each, and the memory of a step.
public struct VisualMemorySession<Cell: RecurrentCell>: DecodingSession {
  private let decoder: VisualMemoryDecoder<Cell>
  /// W_ih v [N, G·H].
  private let context: Tensor
  private let masks: DecoderMasks?
  private let device: Device

  /// One of the layers, and the states of its sequences.
  private struct Layer {
    let layer: Recurrent<Cell>
    let projections: InputProjectionCache<Cell>
    var states = RecurrentStates<Cell>(layers: 1)

    /// Reads one token a row, under the dropout of a training step whose row `firstRow` is row 0; nil: under none.
    mutating func step(
      _ tokens: [Int32], context: SharedRows?, under dropout: Dropout?, firstRow: Int, on device: Device
    ) {
      if let dropout {
        projections.withSums(of: tokens, under: dropout, firstRow: firstRow, on: device) {
          run($0, tokens.count, context, device)
        }
      } else {
        projections.withSums(of: tokens, on: device) { run($0, tokens.count, context, device) }
      }
    }

    private mutating func run(_ input: SharedRows, _ rows: Int, _ context: SharedRows?, _ device: Device) {
      let layer = layer
      states.advance(rows: rows, hidden: layer.hidden) { _, before, after, scratch in
        layer.step(
          input: input, context: context, before: before?[0], into: after[0], scratch: scratch.cell,
          on: device)
      }
    }
  }

  /// What tokens add to the gates of either layer.
  private final class Projections {
    let speaking: InputProjectionCache<Cell>
    let memory: InputProjectionCache<Cell>

    init(_ decoder: VisualMemoryDecoder<Cell>) {
      speaking = InputProjectionCache(decoder.embedding, decoder.speaking)
      memory = InputProjectionCache(decoder.embedding, decoder.memory)
    }
  }

  /// The image of each row.
  private var imageRows: [Int32]
  private var speaking: Layer
  private var memory: Layer
  /// Of a packed batch, the position that row 0 of the last step was, and that of the next.
  private var lastPosition = 0
  private var position = 0
  private var joined = RowMemory()
  private var scoring = ScoringMemory()

  init(
    _ decoder: VisualMemoryDecoder<Cell>, _ images: ImageFeatures, sharing cache: DecodingCache,
    dropout: DropoutPass?, on device: Device
  ) {
    self.decoder = decoder
    self.device = device
    masks = dropout.map { decoder.masks($0) }
    context = decoder.context(of: images, on: device)
    let projections = cache.content { Projections(decoder) }
    speaking = Layer(layer: decoder.speaking, projections: projections.speaking)
    memory = Layer(layer: decoder.memory, projections: projections.memory)
    imageRows = (0..<Int32(images.count)).map { $0 }
  }

  /// How many sequences there are.
  public var rows: Int { imageRows.count }

  /// Reads one token a row.
  public mutating func advance(_ tokens: [Int32]) {
    precondition(tokens.count == rows, "\(tokens.count) tokens for \(rows) rows")
    let (images, dropout, firstRow) = (imageRows, masks?.embedding, position)
    images.withUnsafeBufferPointer { images in
      let seen = SharedRows(context.matrix, rows: images.baseAddress)
      speaking.step(tokens, context: seen, under: dropout, firstRow: firstRow, on: device)
    }
    memory.step(tokens, context: nil, under: dropout, firstRow: firstRow, on: device)
    let row = joined.reserve(rows, decoder.speaking.hidden + decoder.memory.hidden)
    decoder.join(speaking.states.top, memory.states.top, into: row)
    lastPosition = position
    position += tokens.count
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
    speaking.states.select(rows, on: device)
    memory.states.select(rows, on: device)
    joined.select(rows, on: device)
  }
}
