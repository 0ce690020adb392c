internal import Language
internal import Layers
internal import Tensors

/// What one step learns from: sentences about images, and how much each counts.
struct TrainingBatch {
  /// Word ids without start and end.
  private(set) var sentences: [[Int32]]
  /// Which of `images` each sentence is about.
  private(set) var imageRows: [Int32]
  /// The row of each image among the training images (N).
  let images: [Int]
  /// Cached features [N, width].
  let features: Tensor
  /// How many of the sentences people wrote: the first.
  private let taught: Int
  /// What each word of a sentence weighs in the loss; nil: all alike, their mean.
  private var weights: [Double]?

  init(sentences: [[Int32]], imageRows: [Int32], images: [Int], features: Tensor) {
    self.sentences = sentences
    self.imageRows = imageRows
    taught = sentences.count
    self.images = images
    self.features = features
  }

  /// Adds captions drawn from the model, to be made likelier by their advantage; what was there keeps the weight
  /// `teacher`, they get the rest.
  mutating func reinforce(_ drawn: [[Int32]], imageRows: [Int32], advantages: [Double], teacher: Double) {
    func words(_ sentences: [[Int32]]) -> Double { Double(sentences.reduce(0) { $0 + $1.count + 1 }) }
    let own = [Double](repeating: teacher / words(sentences), count: sentences.count)
    let share = (1 - teacher) / words(drawn)
    weights = own + advantages.map { $0 * share }
    sentences += drawn
    self.imageRows += imageRows
  }

  /// The sentences packed, with what the loss needs to know of each position.
  struct Packed {
    var sequences: PackedSequences
    /// The weight of each position [P]; nil: all alike.
    let weights: [Float]?
    /// Whether people wrote it [P]: the reported loss is of those words.
    let isTaught: [Bool]

    /// How many captions people wrote; at least 1.
    var taughtCaptions: Int { max(1, isTaught.prefix(sequences.count).count { $0 }) }

    /// Sum of −ln p over the words that people wrote, and their number.
    func loss(_ logProbs: [Float]) -> (sum: Double, words: Int) {
      zip(logProbs, isTaught).reduce(into: (sum: 0.0, words: 0)) { loss, word in
        if word.1 { loss = (loss.sum - Double(word.0), loss.words + 1) }
      }
    }
  }

  /// The sentences packed.
  func packed() -> Packed {
    let (sequences, order) = PackedSequences.packing(
      sentences, imageRows: imageRows, start: Vocabulary.start, end: Vocabulary.end)
    let sentence = sequences.sequenceOfPosition.map { order[$0] }
    return Packed(
      sequences: sequences, weights: weights.map { weights in sentence.map { Float(weights[$0]) } },
      isTaught: sentence.map { $0 < taught })
  }
}
