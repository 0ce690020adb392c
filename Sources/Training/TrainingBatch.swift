internal import Language
internal import Layers
internal import Tensors

/// What one step learns from: sentences about images or about none, how much each counts, and what else is known of
/// images. Where several processes share it, all know its sentences, and each has the features of its own images.
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
    /// How many there are in all processes.
    let whole: Int
  }

  /// Images with a teacher's scores: some rows of the features.
  struct Scored {
    let rows: Range<Int>
    /// [rows, K].
    let scores: Tensor
    /// How many there are in all processes.
    let whole: Int
  }

  /// Word ids without start and end.
  private(set) var sentences: [[Int32]]
  /// Which image each sentence is about; below 0: none.
  private var imageRows: [Int32]
  /// Whether a sentence is this process's own.
  private var isOwn: [Bool] = []
  /// The row of each captioned image among the training images.
  let images: [Int]
  /// How many images there are in all.
  private var imageCount: Int
  /// Which of them have a row of the features [N].
  private var ownImages: [Int32]
  /// Cached features of images [N, width]: of all, or of this process's own.
  private(set) var features: Tensor
  /// Images to be classified, if there are any.
  private(set) var labelled: Labelled?
  /// Images to be seen as a teacher does, if there are any.
  private(set) var scored: Scored?
  private var kinds: [Kind]
  /// What each word of a sentence weighs in the loss; nil: all alike, their mean.
  private var weights: [Double]?
  private let share: BatchShare

  /// Captions of images.
  /// - Parameters:
  ///   - imageRows: which of the images each is about.
  ///   - features: of some of the images, as a step sees them.
  init(
    sentences: [[Int32]], imageRows: [Int32], images: [Int], _ share: BatchShare,
    features: (_ images: [Int]) -> Tensor
  ) {
    self.images = images
    self.share = share
    imageCount = images.count
    var words = [Int](repeating: 0, count: images.count)
    for (sentence, row) in zip(sentences, imageRows) { words[Int(row)] += sentence.count + 1 }
    let own = share.own(weights: words)
    // A process without an image looks at the first, and learns nothing of it.
    let seen = own.isEmpty ? Array(images.indices.prefix(1)) : own
    ownImages = seen.map { Int32($0) }
    self.features = features(seen)
    (self.sentences, self.imageRows, kinds) = ([], [], [])
    add(sentences, rows: imageRows, .taught, about: own.map { Int32($0) })
  }

  /// Nothing yet, of features of a width.
  init(width: Int, _ share: BatchShare) {
    self.init(sentences: [], imageRows: [], images: [], share) { _ in Tensor(zeros: [0, width]) }
  }

  /// Which images of the whole batch the rows of the features are; nil: they are the whole.
  var rowsOfWhole: [Int32]? { share == .whole ? nil : ownImages }

  /// Which of so many images that are added are this process's own.
  func own(of count: Int) -> [Int] { share.own(of: count) }

  /// How many captions people wrote.
  var taughtCount: Int { kinds.count { $0 == .taught } }

  /// Whether some sentences are about no image.
  var hasText: Bool { kinds.contains(.text) }

  /// Adds sentences about no image.
  mutating func add(text: [[Int32]]) {
    let own = Set(share.own(weights: text.map(\.count)))
    isOwn += text.indices.map(own.contains)
    add(text, rows: text.map { _ in -1 }, .text)
  }

  /// Adds images with labels.
  /// - Parameters:
  ///   - photos: the features of those that are its own.
  ///   - count: how many images there are.
  ///   - labels: of the first of them, which are to be classified.
  ///   - captions: about the first of them.
  mutating func add(labelled photos: Tensor, of count: Int, labels: [Int32], captions: [[Int32]]) {
    let (first, own) = (Int32(imageCount), own(of: count))
    let rows = add(photos, of: count)
    if !labels.isEmpty {
      let classified = own.filter(labels.indices.contains)
      labelled = Labelled(
        rows: rows.prefix(classified.count), labels: classified.map { labels[$0] }, whole: labels.count)
    }
    add(
      captions, rows: captions.indices.map { first + Int32($0) }, .label, about: own.map { first + Int32($0) }
    )
  }

  /// Adds images with a teacher's scores.
  /// - Parameters:
  ///   - photos: the features of those that are its own [n, width].
  ///   - count: how many images there are.
  ///   - scores: of its own [n, K].
  mutating func add(scored photos: Tensor, of count: Int, scores: Tensor) {
    scored = Scored(rows: add(photos, of: count), scores: scores, whole: count)
  }

  /// - Parameter images: those of which sentences are its own.
  private mutating func add(_ sentences: [[Int32]], rows: [Int32], _ kind: Kind, about images: [Int32]) {
    let own = Set(images)
    isOwn += rows.map(own.contains)
    add(sentences, rows: rows, kind)
  }

  private mutating func add(_ sentences: [[Int32]], rows: [Int32], _ kind: Kind) {
    self.sentences += sentences
    imageRows += rows
    kinds += sentences.map { _ in kind }
  }

  private mutating func add(_ photos: Tensor, of count: Int) -> Range<Int> {
    ownImages += own(of: count).map { Int32(imageCount + $0) }
    imageCount += count
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
    isOwn += drawn.map { _ in true }
    add(drawn, rows: imageRows, .drawn)
  }

  /// The sentences packed, with what the loss needs to know of each position; of several processes, those of one.
  struct Packed {
    var sequences: PackedSequences
    /// Which rows of the whole batch its rows are; nil: they are the whole.
    let rows: PackedRows?
    /// The weight of each position [P]; nil: all alike.
    let weights: [Float]?
    /// Whether people wrote it about an image [P]: the reported loss is of those words.
    fileprivate let isTaught: [Bool]
    /// Whether it is about no image [P].
    fileprivate let isText: [Bool]
    /// Words that people wrote about images, and words about no image, in the whole batch.
    let words, textWords: Int
    /// How many captions people wrote in the whole batch; at least 1.
    let taughtCaptions: Int

    /// The share of the whole batch's positions, and of its sequences: means over them become parts of the whole's.
    var shares: (positions: Float, sequences: Float) {
      guard let rows else { return (1, 1) }
      return (
        Float(sequences.positions) / Float(max(1, rows.wholePositions)),
        Float(sequences.count) / Float(max(1, rows.wholeSequences))
      )
    }

    /// Sums of −ln p, over the words that people wrote about images and over those about no image.
    func losses(_ logProbs: [Float]) -> [Double] {
      [isTaught, isText].map { counts in
        zip(logProbs, counts).reduce(0) { $1.1 ? $0 - Double($1.0) : $0 }
      }
    }
  }

  /// The sentences packed; those about no image are about the row after the last image.
  func packed() -> Packed {
    let unseen = Int32(imageCount)
    let (whole, order) = PackedSequences.packing(
      sentences, imageRows: imageRows.map { $0 < 0 ? unseen : $0 }, start: Vocabulary.start,
      end: Vocabulary.end)
    let (sequences, rows): (PackedSequences, PackedRows?) =
      share == .whole
      ? (whole, nil)
      : whole.part(order.indices.filter { isOwn[order[$0]] }, about: ownImages + [unseen])
    let chosen = rows.map { rows in rows.sequences.map { order[Int($0)] } } ?? order
    let sentence = sequences.sequenceOfPosition.map { chosen[$0] }
    let alike = rows.map { [Float](repeating: 1 / Float(max(1, $0.wholePositions)), count: sentence.count) }
    func words(_ kind: Kind) -> Int {
      zip(sentences, kinds).reduce(0) { $1.1 == kind ? $0 + $1.0.count + 1 : $0 }
    }
    return Packed(
      sequences: sequences, rows: rows,
      weights: weights.map { weights in sentence.map { Float(weights[$0]) } } ?? alike,
      isTaught: sentence.map { kinds[$0] == .taught }, isText: sentence.map { kinds[$0] == .text },
      words: words(.taught), textWords: words(.text), taughtCaptions: max(1, taughtCount))
  }
}
