internal import Language
internal import Layers
internal import Tensors

/// What one step learns from: sentences about images or about none, how much each counts, and what else is known of
/// images.
struct TrainingBatch {
  /// Where a sentence is from.
  private enum Kind {
    /// People wrote it about the image.
    case taught
    /// People wrote it, about no image.
    case text
    /// It was made of the image's label.
    case label
    /// The model drew it.
    case drawn
  }

  /// Images with labels: some rows of the features.
  struct Labelled {
    let rows: Range<Int>
    let labels: [Int32]
  }

  /// Images with a teacher's scores: some rows of the features.
  struct Scored {
    let rows: Range<Int>
    /// [rows, K].
    let scores: Tensor
  }

  /// Word ids without start and end.
  private(set) var sentences: [[Int32]]
  /// Which row of the features each sentence is about; below 0: none.
  private var imageRows: [Int32]
  /// The row of each captioned image among the training images: the first of the features.
  let images: [Int]
  /// Cached features of all images [N, width].
  private(set) var features: Tensor
  /// Images to be classified, if there are any.
  private(set) var labelled: Labelled?
  /// Images to be seen as a teacher does, if there are any.
  private(set) var scored: Scored?
  private var kinds: [Kind]
  /// What each word of a sentence weighs in the loss; nil: all alike, their mean.
  private var weights: [Double]?

  init(sentences: [[Int32]], imageRows: [Int32], images: [Int], features: Tensor) {
    self.sentences = sentences
    self.imageRows = imageRows
    kinds = sentences.map { _ in .taught }
    self.images = images
    self.features = features
  }

  /// Nothing yet, of features of a width.
  init(width: Int) {
    self.init(sentences: [], imageRows: [], images: [], features: Tensor(zeros: [0, width]))
  }

  /// How many captions people wrote.
  var taughtCount: Int { kinds.count { $0 == .taught } }

  /// Whether some sentences are about no image.
  var hasText: Bool { kinds.contains(.text) }

  /// Adds sentences about no image.
  mutating func add(text: [[Int32]]) { add(text, rows: text.map { _ in -1 }, .text) }

  /// Adds images with labels.
  /// - Parameters:
  ///   - photos: their features.
  ///   - labels: of the first of them, which are to be classified.
  ///   - captions: about the first of them.
  mutating func add(labelled photos: Tensor, labels: [Int32], captions: [[Int32]]) {
    let rows = add(photos)
    if !labels.isEmpty {
      labelled = Labelled(rows: rows.lowerBound..<rows.lowerBound + labels.count, labels: labels)
    }
    add(captions, rows: captions.indices.map { Int32(rows.lowerBound + $0) }, .label)
  }

  /// Adds images with a teacher's scores [n, K].
  mutating func add(scored photos: Tensor, scores: Tensor) {
    scored = Scored(rows: add(photos), scores: scores)
  }

  private mutating func add(_ sentences: [[Int32]], rows: [Int32], _ kind: Kind) {
    self.sentences += sentences
    imageRows += rows
    kinds += sentences.map { _ in kind }
  }

  private mutating func add(_ photos: Tensor) -> Range<Int> {
    let first = features.shape[0]
    var joined = Tensor(uninitialized: [first + photos.shape[0], features.shape[1]])
    let memory = joined.mutablePointer()
    memory.update(from: features.pointer, count: features.count)
    (memory + features.count).update(from: photos.pointer, count: photos.count)
    withExtendedLifetime((features, photos)) {}
    features = joined
    return first..<joined.shape[0]
  }

  /// Adds captions drawn from the model, to be made likelier by their advantage; what was there keeps the weight
  /// `teacher`, they get the rest.
  mutating func reinforce(_ drawn: [[Int32]], imageRows: [Int32], advantages: [Double], teacher: Double) {
    func words(_ sentences: [[Int32]]) -> Double { Double(sentences.reduce(0) { $0 + $1.count + 1 }) }
    let own = [Double](repeating: teacher / words(sentences), count: sentences.count)
    let share = (1 - teacher) / words(drawn)
    weights = own + advantages.map { $0 * share }
    add(drawn, rows: imageRows, .drawn)
  }

  /// The sentences packed, with what the loss needs to know of each position.
  struct Packed {
    var sequences: PackedSequences
    /// The weight of each position [P]; nil: all alike.
    let weights: [Float]?
    /// Whether people wrote it about an image [P]: the reported loss is of those words.
    let isTaught: [Bool]
    /// Whether it is about no image [P].
    let isText: [Bool]

    /// How many captions people wrote; at least 1.
    var taughtCaptions: Int { max(1, isTaught.prefix(sequences.count).count { $0 }) }

    /// Sum of −ln p over the words that people wrote about images, and their number.
    func loss(_ logProbs: [Float]) -> (sum: Double, words: Int) { Self.loss(logProbs, isTaught) }

    /// −ln p a word about no image; nil: there is none.
    func textLoss(_ logProbs: [Float]) -> Double? {
      let (sum, words) = Self.loss(logProbs, isText)
      return words > 0 ? sum / Double(words) : nil
    }

    private static func loss(_ logProbs: [Float], _ counts: [Bool]) -> (sum: Double, words: Int) {
      zip(logProbs, counts).reduce(into: (sum: 0.0, words: 0)) { loss, word in
        if word.1 { loss = (loss.sum - Double(word.0), loss.words + 1) }
      }
    }
  }

  /// The sentences packed; those about no image are about the row after the last image.
  func packed() -> Packed {
    let unseen = Int32(features.shape[0])
    let (sequences, order) = PackedSequences.packing(
      sentences, imageRows: imageRows.map { $0 < 0 ? unseen : $0 }, start: Vocabulary.start,
      end: Vocabulary.end)
    let sentence = sequences.sequenceOfPosition.map { order[$0] }
    return Packed(
      sequences: sequences, weights: weights.map { weights in sentence.map { Float(weights[$0]) } },
      isTaught: sentence.map { kinds[$0] == .taught }, isText: sentence.map { kinds[$0] == .text })
  }
}
