public import Kernels
internal import Language
public import Layers
internal import Support

/// How to draw.
public struct SamplingOptions: Sendable, Equatable {
  /// Captions of an image, at least 1; some may be equal.
  public var captions: Int
  /// From which words each is drawn, and how boldly.
  public var choice: ClassSampling
  /// Names the random numbers: the same seed and stream, the same captions.
  public var seed: UInt64
  /// Words in a caption, at most; `</s>` is not counted here.
  public var maximumLength: Int
  /// Words in a caption, at least; no more than `maximumLength`.
  public var minimumLength: Int
  /// What a caption must and must not say. Forced words are not among it: a draw does not look ahead.
  public var constraints: Constraints

  /// Values out of range are brought into it; forced words are left out.
  public init(
    captions: Int = 1, _ choice: ClassSampling = ClassSampling(), seed: UInt64 = 0, maximumLength: Int = 20,
    minimumLength: Int = 0, constraints: Constraints = Constraints()
  ) {
    self.choice = choice
    self.captions = max(1, captions)
    self.seed = seed
    self.maximumLength = max(0, maximumLength)
    self.minimumLength = min(max(0, minimumLength), self.maximumLength)
    self.constraints = constraints
    self.constraints.forced = []
  }
}

/// Draws captions of images word by word, each word with its probability given those before it, as `SamplingOptions` shapes
/// it. `<pad>`, `<s>` and `<unk>` are never spoken. At `maximumLength` words `</s>` is forced, and counted.
///
/// Log-probabilities are the decoder's own, whatever the temperature, and whatever was left out of the draw.
public struct Sampling<Decoder: SequenceDecoder> {
  /// A caption in the making.
  private struct Draw {
    let image: Int
    var caption = Hypothesis()
    var random: Random
  }

  private let decoder: Decoder
  private let options: SamplingOptions
  private let cache: DecodingCache
  private let device: Device

  /// Draws with a decoder.
  /// - Parameter cache: of this very decoder.
  public init(
    _ decoder: Decoder, _ options: SamplingOptions = SamplingOptions(),
    sharing cache: DecodingCache = DecodingCache(), on device: Device
  ) {
    self.decoder = decoder
    self.options = options
    self.cache = cache
    self.device = device
  }

  /// Captions of each image, the likeliest first.
  /// - Parameter streams: for each image, what names its random numbers beside the seed; its captions do not depend on
  ///   the images beside it.
  public func sample(_ images: ImageFeatures, streams: [UInt64]) -> [[Hypothesis]] {
    precondition(streams.count == images.count, "\(streams.count) streams for \(images.count) images")
    var finished = [[Hypothesis]](repeating: [], count: streams.count)
    var live = streams.enumerated().flatMap { image, stream in
      (0..<UInt64(options.captions)).map {
        Draw(image: image, random: Random(seed: options.seed, stream: stream, $0))
      }
    }
    var session = decoder.session(for: images, sharing: cache, on: device)
    session.select(live.map { Int32($0.image) })
    for length in 0...options.maximumLength where !live.isEmpty {
      session.advance(live.map { $0.caption.words.last ?? Vocabulary.start })
      let chosen = choose(&live, length: length, session.scores(of: 0..<live.count))
      var parents: [Int32] = []
      for row in live.indices {
        // A decoder whose numbers are not finite leaves nothing to draw: its caption ends without a likelihood.
        let word = chosen.ids[row] < 0 ? Vocabulary.end : chosen.ids[row]
        live[row].caption = live[row].caption.extended(by: word, chosen.logProbabilities[row])
        if word == Vocabulary.end {
          finished[live[row].image].append(live[row].caption)
        } else {
          parents.append(Int32(row))
        }
      }
      live = parents.map { live[Int($0)] }
      session.select(parents)
    }
    return finished.map { $0.sorted { $0.total > $1.total } }
  }

  /// The next word of each draw.
  private func choose(_ live: inout [Draw], length: Int, _ scores: TokenScores) -> TopClasses {
    let constraints = options.constraints
    if length == options.maximumLength { return scores.only(Vocabulary.end) }
    if length < constraints.prefix.count { return scores.only(constraints.prefix[length]) }
    let excluded = live.map {
      constraints.excluded(
        after: $0.caption.words, mayEnd: length >= options.minimumLength,
        vocabularySize: scores.vocabularySize)
    }
    return scores.drawn(
      options.choice,
      excludingByRow: excluded,
      uniforms: live.indices.map { Double(live[$0].random.next() >> 11) * 0x1p-53 })
  }
}
