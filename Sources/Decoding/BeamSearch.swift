public import Kernels
internal import Language
public import Layers

/// How far to search.
public struct BeamOptions: Sendable, Equatable {
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
  /// λ, 0 to 1: finished captions are ranked by ln p(caption | image) − λ ln p(caption) where it is above 0.
  public var mutualInformation: Double
  /// What a caption must and must not say.
  public var constraints: Constraints

  /// Values out of range are brought into it.
  public init(
    beamWidth: Int = 3, captions: Int = 1, maximumLength: Int = 20, minimumLength: Int = 0,
    lengthNormalization: LengthNormalization = .none, mutualInformation: Double = 0,
    constraints: Constraints = Constraints()
  ) {
    self.beamWidth = max(1, beamWidth)
    self.captions = min(max(1, captions), self.beamWidth)
    self.maximumLength = max(0, maximumLength)
    self.minimumLength = min(max(0, minimumLength), self.maximumLength)
    self.lengthNormalization = lengthNormalization
    self.mutualInformation = min(max(0, mutualInformation), 1)
    self.constraints = constraints
  }
}

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
public struct BeamSearch<Decoder: SequenceDecoder> {
  let decoder: Decoder
  let options: BeamOptions
  let cache: DecodingCache
  let device: Device

  /// A search with a decoder.
  /// - Parameter cache: of this very decoder.
  public init(
    _ decoder: Decoder, _ options: BeamOptions = BeamOptions(),
    sharing cache: DecodingCache = DecodingCache(), on device: Device
  ) {
    self.decoder = decoder
    self.options = options
    self.cache = cache
    self.device = device
  }

  /// The captions of each image, the best first: at least one.
  public func search(_ features: ImageFeatures) -> [[Hypothesis]] {
    guard options.mutualInformation > 0 else { return likeliest(features, options) }
    var all = options
    all.captions = options.beamWidth
    return ranked(likeliest(features, all), features)
  }

  /// The best captions of each image by what the model tells of them with the image.
  private func likeliest(_ features: ImageFeatures, _ options: BeamOptions) -> [[Hypothesis]] {
    var images = (0..<features.count).map { _ in ImageBeam(options) }
    var session = decoder.session(for: features, sharing: cache, on: device)
    for length in 0...options.maximumLength where session.rows > 0 {
      // The rows of the session are the live captions, image by image.
      let searching = images.indices.filter { !images[$0].live.isEmpty }
      session.advance(searching.flatMap { images[$0].live.map { $0.words.last ?? Vocabulary.start } })
      var parents: [Int32] = []
      var row = 0
      for group in groups(searching.map { images[$0].live.count }) {
        let group = searching[group]
        let live = group.flatMap { images[$0].live }
        let extensions = extensions(of: live, length: length, session.scores(of: row..<row + live.count))
        for found in advance(&images, group, extensions) { parents.append(Int32(row + found)) }
        row += live.count
      }
      session.select(parents)
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
        device.pool.run(group.count) {
          parents[$0] = images[group[$0]].advance(extensions, rows: rows[$0])
        }
      }
    }
    return zip(rows, parents).flatMap { rows, parents in parents.map { rows.lowerBound + $0 } }
  }

  /// How each live caption, a row each, may go on.
  private func extensions(
    of live: [Hypothesis], length: Int, _ scores: TokenScores
  ) -> TopClasses {
    let constraints = options.constraints
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
}
