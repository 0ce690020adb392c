internal import Decoding
public import Language
internal import Layers
public import Tensors

/// Where a model looks for the words of a caption.
public struct Explanation: Sendable, Equatable {
  /// How it was found.
  public enum Kind: String, Sendable {
    /// The weights of the model's attention.
    case attention
    /// How much less likely a word becomes when a part of the image is covered.
    case occlusion
  }

  /// How it was found.
  public let kind: Kind
  /// Rows and columns of the grid.
  public let rows, columns: Int
  /// Of each word and of the end, how much each cell counts, row by row; at least 0. Attention's add up to 1; those of
  /// occlusion are nats.
  public let weights: [[Float]]

  /// Weights of a grid, a row of rows·columns for each word.
  public init(kind: Kind, rows: Int, columns: Int, weights: [[Float]]) {
    self.kind = kind
    self.rows = rows
    self.columns = columns
    self.weights = weights
  }
}

extension CaptionModel {
  /// The side of the grid of an occlusion.
  private static let occlusionSide = 7

  /// Where the model looks for the words of a caption of an image.
  ///
  /// A model with attention tells. Of any other a window is moved over the image, two cells of a 7×7 grid wide, in which
  /// there is the mean colour: what a word's log-probability loses shows what it is about (Zeiler & Fergus 2014).
  /// - Parameters:
  ///   - words: ids without start and end.
  ///   - image: [1, H, W, 3], as the preprocessing makes it.
  /// - Throws: `ModelError.notFinite`.
  public func explanation(of words: [Int32], _ image: Tensor) throws(ModelError) -> Explanation {
    let seen = try maps(image)
    if let attention = attention(for: words, maps: seen) { return attention }
    return try occlusion(of: words, image, seen)
  }

  /// Where the attention of the model is when it says the words of a caption; nil: it has none.
  /// - Parameters:
  ///   - words: ids without start and end.
  ///   - maps: of the image [1, mapSize].
  public func attention(for words: [Int32], maps: Tensor) -> Explanation? {
    guard description.decoder.attention != nil else { return nil }
    let (sequences, _) = PackedSequences.packing(
      [words], imageRows: [0], start: Vocabulary.start, end: Vocabulary.end)
    return decoder.attentionWeights(sequences, about: features(maps), on: device).map { weights in
      let shape = description.mapShape
      return Explanation(
        kind: .attention, rows: shape[0], columns: shape[1],
        weights: (0..<weights.shape[0]).map { weights.row($0).scalars })
    }
  }

  /// The ids of the words of a caption that this model made, without the end.
  public func words(of caption: Caption) -> [Int32] {
    description.vocabulary.encode(caption.words.dropLast().map(\.word))
  }

  private func occlusion(of words: [Int32], _ image: Tensor, _ seen: Tensor) throws(ModelError) -> Explanation
  {
    let side = Self.occlusionSide
    let whole = logProbs(of: [words], rows: [0], maps: seen)[0]
    var weights = [[Float]](repeating: [], count: whole.count)
    for first in stride(from: 0, to: side * side, by: VGGEncoder.batchSize) {
      let cells = first..<min(side * side, first + VGGEncoder.batchSize)
      let covered = Self.covered(image, cells: cells, side: side)
      let found = logProbs(
        of: cells.map { _ in words }, rows: Array(0..<cells.count), maps: try maps(covered))
      for logProbs in found {
        for word in whole.indices { weights[word].append(max(0, whole[word] - logProbs[word])) }
      }
    }
    return Explanation(kind: .occlusion, rows: side, columns: side, weights: weights)
  }

  /// Copies of an image, each with a window around a cell in the mean colour, which is 0 after preprocessing.
  private static func covered(_ image: Tensor, cells: Range<Int>, side: Int) -> Tensor {
    let (height, width) = (image.shape[1], image.shape[2])
    var result = Tensor(uninitialized: [cells.count, height, width, 3])
    let memory = result.mutablePointer()
    for (copy, cell) in cells.enumerated() {
      let pixels = memory + copy * image.count
      pixels.update(from: image.pointer, count: image.count)
      // Half a cell more on every side: what is looked for seldom lies in one.
      func window(_ place: Int, _ extent: Int) -> Range<Int> {
        max(0, (2 * place - 1) * extent / (2 * side))..<min(extent, (2 * place + 3) * extent / (2 * side))
      }
      let columns = window(cell % side, width)
      for y in window(cell / side, height) {
        (pixels + (y * width + columns.lowerBound) * 3).update(repeating: 0, count: columns.count * 3)
      }
    }
    return result
  }
}
