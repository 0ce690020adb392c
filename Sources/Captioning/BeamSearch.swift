internal import Kernels
internal import Language
internal import Layers
public import Tensors

/// A caption as word ids, with what the decoder thinks of each.
public struct Hypothesis: Sendable, Equatable {
  /// The word ids after `<s>`; the last is `</s>`.
  public private(set) var words: [Int32] = []
  /// ln p of each word, of the full softmax.
  public private(set) var logProbs: [Float] = []
  /// Their sum.
  var total = 0.0

  /// ln p of the caption: the sum over its words.
  public var logProb: Float { Float(total) }

  func extended(by word: Int32, _ logProb: Float) -> Hypothesis {
    var longer = self
    longer.words.append(word)
    longer.logProbs.append(logProb)
    longer.total += Double(logProb)
    return longer
  }
}

/// Searches for the likeliest captions of images, all beams of all images in one batch.
///
/// At each step every live caption is extended by every word; `<pad>`, `<s>` and `<unk>` are never spoken, though the
/// softmax counts them. Of an image's extensions, those among the `beamWidth` likeliest that end are finished, and
/// the `beamWidth` likeliest that go on are the next live ones. The `captions` best finished ones are kept; the search
/// ends when no live one is likelier than the worst of them, since log-probabilities only fall. At
/// `maximumLength` words `</s>` is forced, and counted. Width 1 is greedy decoding.
public struct BeamSearch {
  /// How far to search.
  public struct Options: Sendable, Equatable {
    /// Live captions of an image, at least 1.
    public var beamWidth: Int
    /// Captions to return of an image, 1...beamWidth.
    public var captions: Int
    /// Words in a caption, at most; `</s>` is not counted here.
    public var maximumLength: Int

    /// Values out of range are brought into it.
    public init(beamWidth: Int = 3, captions: Int = 1, maximumLength: Int = 20) {
      self.beamWidth = max(1, beamWidth)
      self.captions = min(max(1, captions), self.beamWidth)
      self.maximumLength = max(0, maximumLength)
    }
  }

  private let decoder: CaptionDecoder
  private let options: Options
  private let pool: ThreadPool

  init(_ decoder: CaptionDecoder, _ options: Options, pool: ThreadPool) {
    (self.decoder, self.options, self.pool) = (decoder, options, pool)
  }

  /// A search with a decoder.
  public init(_ decoder: CaptionDecoder, _ options: Options = Options()) {
    self.init(decoder, options, pool: .shared)
  }

  /// The captions of each image, the likeliest first: at least one.
  /// - Parameter v: image features [N, D].
  public func search(v: Tensor) -> [[Hypothesis]] {
    var images = (0..<v.shape[0]).map { _ in ImageBeam(options) }
    var state = DecoderState(decoder, v: v, pool: pool)
    for length in 0...options.maximumLength where state.rows > 0 {
      // The rows of the state are the live captions, image by image.
      let searching = images.indices.filter { !images[$0].live.isEmpty }
      let words = searching.flatMap { images[$0].live.map { $0.words.last ?? Vocabulary.start } }
      let logits = state.step(decoder, words: words, pool: pool)
      let extensions =
        length < options.maximumLength
        ? likeliest(rows: state.rows, logits) : endings(rows: state.rows, logits)
      var parents: [Int32] = []
      var row = 0
      for image in searching {
        let rows = row..<row + images[image].live.count
        parents += images[image].advance(extensions, rows: rows).map { Int32(row + $0) }
        row = rows.upperBound
      }
      state.gather(parents, pool: pool)
    }
    return images.map(\.finished)
  }

  /// As many extensions of each row as could be needed: a whole beam, and the end.
  private func likeliest(rows: Int, _ logits: UnsafeMutablePointer<Float>) -> TopClasses {
    topClasses(
      options.beamWidth + 1, rows: rows, columns: decoder.configuration.vocabularySize, logits: logits,
      bias: decoder.output.linear.bias!.value.pointer,
      excluding: [Vocabulary.padding, Vocabulary.start, Vocabulary.unknown], pool: pool)
  }

  /// Only the end, whatever its rank.
  private func endings(rows: Int, _ logits: UnsafeMutablePointer<Float>) -> TopClasses {
    let ids = [Int32](repeating: Vocabulary.end, count: rows)
    var logProbs = [Float](repeating: 0, count: rows)
    softmaxCrossEntropy(
      rows: rows, columns: decoder.configuration.vocabularySize, logits: logits,
      bias: decoder.output.linear.bias!.value.pointer, targets: ids, gradientScale: 0,
      logProbabilities: &logProbs,
      pool: pool)
    return TopClasses(count: 1, ids: ids, logProbabilities: logProbs)
  }

  /// What the decoder thinks of a given caption, as the search counts it.
  /// - Parameters:
  ///   - words: ids without `<s>` and `</s>`.
  ///   - v: one image's features [1, D].
  public func score(_ words: [Int32], v: Tensor) -> Hypothesis {
    let (captions, _) = PackedCaptions.packing(
      [words], imageRows: [0], start: Vocabulary.start, end: Vocabulary.end)
    var trace = CaptionDecoder.Trace()
    let logProbs = decoder.forward(captions, v: v, into: &trace, pool: pool)
    return zip(captions.targets, logProbs).reduce(Hypothesis()) { $0.extended(by: $1.0, $1.1) }
  }
}

/// The search over one image.
private struct ImageBeam {
  private let options: BeamSearch.Options
  /// The captions that go on, the likeliest first.
  private(set) var live = [Hypothesis()]
  /// The best that have ended, the likeliest first.
  private(set) var finished: [Hypothesis] = []

  init(_ options: BeamSearch.Options) { self.options = options }

  /// Replaces the live captions, which are `rows` of the extensions, by their likeliest continuations.
  /// - Returns: for each new live caption, which old one it extends.
  mutating func advance(_ extensions: TopClasses, rows: Range<Int>) -> [Int] {
    var candidates: [(parent: Int, word: Int32, logProb: Float, total: Double)] = []
    for (parent, row) in rows.enumerated() {
      for place in row * extensions.count..<(row + 1) * extensions.count where extensions.ids[place] >= 0 {
        let logProb = extensions.logProbabilities[place]
        candidates.append((parent, extensions.ids[place], logProb, live[parent].total + Double(logProb)))
      }
    }
    // Of equals, the caption that was likelier before, then the lower word.
    candidates.sort { (-$0.total, $0.parent, $0.word) < (-$1.total, $1.parent, $1.word) }

    for candidate in candidates.prefix(options.beamWidth) where candidate.word == Vocabulary.end {
      finish(live[candidate.parent].extended(by: candidate.word, candidate.logProb))
    }
    if candidates.isEmpty && finished.isEmpty {
      // A decoder whose numbers are not finite ranks nothing: its caption ends here, without a likelihood.
      finish(live[0].extended(by: Vocabulary.end, -.infinity))
    }
    let next = candidates.filter { $0.word != Vocabulary.end }.prefix(options.beamWidth)
    if finished.count == options.captions, let best = next.first, best.total <= finished.last!.total {
      live = []
      return []
    }
    live = next.map { live[$0.parent].extended(by: $0.word, $0.logProb) }
    return next.map(\.parent)
  }

  private mutating func finish(_ caption: Hypothesis) {
    let place = finished.firstIndex { $0.total < caption.total } ?? finished.count
    finished.insert(caption, at: place)
    if finished.count > options.captions { finished.removeLast() }
  }
}
