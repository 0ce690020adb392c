internal import Language
internal import Support
internal import Tensors

/// The words of another project's model among ours: which row of its tables each of them is.
///
/// Our vocabulary begins with words that theirs may lack. A class that theirs lacks gets a sum so low that softmax gives it
/// exactly 0, so that the others share what they share there.
struct ForeignWords {
  /// Ours.
  let vocabulary: Vocabulary
  /// Rows of their tables.
  let count: Int
  /// The row that each of our words is read from, and the class that it is; nil: theirs has none.
  private let inputs: [Int?]
  private let classes: [Int?]

  /// The sum of what can't be said: e to this is 0, and half precision holds it.
  static let never: Float = -10_000

  /// A vocabulary.
  /// - Parameters:
  ///   - words: theirs by row, those aside that begin and end captions.
  ///   - count: rows, each of which must have its word or be one of those.
  ///   - start: the row that is read first.
  ///   - end: the class that ends a caption.
  ///   - padding: the row that stands for no word; nil: there is none.
  ///   - startIsClass: whether the row that is read first has a share among the classes too.
  ///   - files: for messages.
  /// - Throws: `ModelError.unsupported` when they are no vocabulary.
  init(
    _ words: [Int: String], count: Int, start: Int, end: Int, padding: Int? = nil, startIsClass: Bool = false,
    _ files: CaptionerFiles
  ) throws(ModelError) {
    var rows: [(row: Int, word: String)] = []
    // What they call a word that they do not know.
    var unknown: Int?
    for row in 0..<count where row != start && row != end && row != padding {
      guard let word = words[row] else {
        throw files.unsupported("a word for each class", "none for class \(row)")
      }
      if ["UNK", "<unk>", "<UNK>"].contains(word) && unknown == nil {
        unknown = row
      } else {
        rows.append((row, word))
      }
    }
    guard words.count <= count, words.keys.allSatisfy({ (0..<count).contains($0) }) else {
      throw files.unsupported("words for \(count) classes", "\(words.count)")
    }
    do {
      vocabulary = try Vocabulary(words: Vocabulary.specialWords + rows.map(\.word))
    } catch { throw files.unsupported("a vocabulary", "\(error)".printable()) }
    self.count = count
    inputs = [padding, start, nil, unknown] + rows.map(\.row)
    classes = [padding, startIsClass ? start : nil, end, unknown] + rows.map(\.row)
  }

  /// Their embedding table [rows, E] by our words [V, E], zero where theirs has none.
  func embedding(_ table: Tensor) -> Tensor { arranged(table, inputs, otherwise: 0) }

  /// Their classifier's weights [rows, H] by our words [V, H].
  func weight(_ weight: Tensor) -> Tensor { arranged(weight, classes, otherwise: 0) }

  /// Its biases [rows] by our words [V].
  func bias(_ bias: Tensor) -> Tensor {
    arranged(bias.reshaped([count, 1]), classes, otherwise: Self.never).reshaped([vocabulary.count])
  }

  private func arranged(_ table: Tensor, _ rows: [Int?], otherwise: Float) -> Tensor {
    precondition(table.shape.rank == 2 && table.shape[0] == count)
    let width = table.shape[1]
    var result = Tensor(repeating: otherwise, [rows.count, width])
    let scalars = result.mutablePointer()
    for (place, row) in rows.enumerated() {
      guard let row else { continue }
      (scalars + place * width).update(from: table.pointer + row * width, count: width)
    }
    return withExtendedLifetime(table) { result }
  }
}
