internal import Kernels
internal import Language
internal import Layers
public import Tensors

/// Searches for the likeliest captions of images, all beams of all images in one batch.
///
/// At each step every live caption is extended by every word; `<pad>`, `<s>` and `<unk>` are never spoken, though the
/// softmax counts them. Of an image's extensions, those among the `beamWidth` likeliest that end are finished, and
/// the `beamWidth` likeliest that go on are the next live ones. The `captions` best finished ones are kept; live ones
/// that cannot become better than the worst of them are dropped, since log-probabilities only fall, and the search ends
/// with the last. At `maximumLength` words `</s>` is forced, and counted. Width 1 is greedy decoding.
///
/// Forced words are Hokamp & Liu's (2017) grid: captions compete with those that hold as many of the forced words, a
/// beam for each number, and every live one is also extended by each forced word it lacks.
///
/// Not for use by two threads at once.
public struct BeamSearch {
  /// How far to search.
  public struct Options: Sendable, Equatable {
    /// Live captions of an image, at least 1.
    public var beamWidth: Int
    /// Captions to return of an image, 1...beamWidth.
    public var captions: Int
    /// Words in a caption, at most; `</s>` is not counted here.
    public var maximumLength: Int
    /// Words in a caption, at least; no more than `maximumLength`.
    public var minimumLength: Int
    /// What finished captions are ranked by.
    public var lengthNormalization: LengthNormalization
    /// What a caption must and must not say.
    public var constraints: Constraints

    /// Values out of range are brought into it.
    public init(
      beamWidth: Int = 3, captions: Int = 1, maximumLength: Int = 20, minimumLength: Int = 0,
      lengthNormalization: LengthNormalization = .none, constraints: Constraints = Constraints()
    ) {
      self.beamWidth = max(1, beamWidth)
      self.captions = min(max(1, captions), self.beamWidth)
      self.maximumLength = max(0, maximumLength)
      self.minimumLength = min(max(0, minimumLength), self.maximumLength)
      (self.lengthNormalization, self.constraints) = (lengthNormalization, constraints)
    }
  }

  private let decoder: CaptionDecoder
  private let options: Options
  private let wordSums: WordSums
  private let pool: ThreadPool

  init(_ decoder: CaptionDecoder, _ options: Options, wordSums: WordSums? = nil, pool: ThreadPool = .shared) {
    (self.decoder, self.options, self.pool) = (decoder, options, pool)
    self.wordSums = wordSums ?? WordSums(decoder)
  }

  /// A search with a decoder.
  public init(_ decoder: CaptionDecoder, _ options: Options = Options()) {
    self.init(decoder, options, pool: .shared)
  }

  /// The captions of each image, the best first: at least one.
  /// - Parameter v: image features [N, D].
  public func search(v: Tensor) -> [[Hypothesis]] {
    var images = (0..<v.shape[0]).map { _ in ImageBeam(options) }
    var state = DecoderState(decoder, v: v, wordSums: wordSums, pool: pool)
    for length in 0...options.maximumLength where state.rows > 0 {
      // The rows of the state are the live captions, image by image.
      let searching = images.indices.filter { !images[$0].live.isEmpty }
      state.read(
        decoder, words: searching.flatMap { images[$0].live.map { $0.words.last ?? Vocabulary.start } },
        pool: pool)
      var parents: [Int32] = []
      var row = 0
      for group in groups(searching.map { images[$0].live.count }) {
        let group = searching[group]
        let live = group.flatMap { images[$0].live }
        let logits = state.logits(decoder, of: row..<row + live.count, pool: pool)
        let extensions = extensions(of: live, length: length, logits)
        for found in advance(&images, group, extensions) { parents.append(Int32(row + found)) }
        row += live.count
      }
      state.gather(parents, pool: pool)
    }
    return images.map(\.finished)
  }

  /// Images whose rows' logits are in memory together, so that they stay in the cache: 1,024 rows or a few more.
  private func groups(_ rows: [Int]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var (first, count) = (0, 0)
    for image in rows.indices {
      count += rows[image]
      if count >= 1_024 || image == rows.count - 1 {
        groups.append(first..<image + 1)
        (first, count) = (image + 1, 0)
      }
    }
    return groups
  }

  /// Takes the next step of some images, whose live captions are the rows of the extensions.
  /// - Returns: the row that each new live caption extends.
  private func advance(
    _ images: inout [ImageBeam], _ group: ArraySlice<Int>, _ extensions: TopClasses
  ) -> [Int] {
    var next = 0
    let rows = group.map { image in
      defer { next += images[image].live.count }
      return next..<next + images[image].live.count
    }
    let group = Array(group)
    var parents = [[Int]](repeating: [], count: group.count)
    images.withUnsafeMutableBufferPointer { images in
      parents.withUnsafeMutableBufferPointer { parents in
        pool.run(group.count) {
          parents[$0] = images[group[$0]].advance(extensions, rows: rows[$0])
        }
      }
    }
    return zip(rows, parents).flatMap { rows, parents in parents.map { rows.lowerBound + $0 } }
  }

  /// How each live caption, a row each, may go on.
  private func extensions(
    of live: [Hypothesis], length: Int, _ logits: UnsafeMutablePointer<Float>
  ) -> TopClasses {
    let constraints = options.constraints
    let scores = WordScores(decoder, rows: live.count, logits, pool: pool)
    if length == options.maximumLength { return scores.only(Vocabulary.end) }
    if length < constraints.prefix.count { return scores.only(constraints.prefix[length]) }
    // As many of each row as could be needed: a whole beam, and the end.
    let count = options.beamWidth + 1
    let mayEnd = length >= options.minimumLength
    if !constraints.dependsOnWords {
      return scores.likeliest(
        count,
        excluding: constraints.excluded(after: [], mayEnd: mayEnd, vocabularySize: scores.vocabularySize))
    }
    let top = scores.likeliest(
      count + constraints.forced.count,
      excludingByRow: live.map {
        constraints.excluded(after: $0.words, mayEnd: mayEnd, vocabularySize: scores.vocabularySize)
      })
    if constraints.forced.isEmpty { return top }
    return scores.adding(
      live.map { constraints.unmet(after: $0.words) }, to: top, room: options.maximumLength - length)
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
