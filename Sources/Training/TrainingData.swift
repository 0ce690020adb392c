public import CaptionMetrics
public import Datasets
internal import Language
internal import Layers
internal import Support
internal import Tensors

/// What a run learns from, and what it is judged on.
public struct TrainingData {
  /// Captions to learn.
  public let train: EncodedSplit
  /// Captions to be judged on.
  public let validation: EncodedSplit
  /// What is learned beside captions.
  public let beside: SideData
  /// What METEOR needs; nil: captions are not judged by it.
  public let meteor: METEORData?

  /// The splits may be the same.
  public init(
    train: EncodedSplit, validation: EncodedSplit, beside: SideData = SideData(), meteor: METEORData? = nil
  ) {
    self.meteor = meteor
    self.train = train
    self.validation = validation
    self.beside = beside
  }
}

/// The captions of a split as word ids, each with the row of its image's features.
public struct EncodedSplit {
  /// Word ids without start and end [captions].
  public let captions: EncodedCaptions
  /// The row of each caption's image in `photos` [captions].
  public let rows: [Int]
  /// All captions, as tokens, of the image of a row: more than `captions` where those are a choice.
  public let references: @Sendable (Int) -> [[String]]
  /// What is learned from of the images.
  public let photos: any PhotoFeatures
  /// The names of the images in their data set, a row each: with what they show they tell one list from another.
  public let names: [String]
  /// Which of several data sets each image is of, a row each; empty: there is one.
  public let sources: [Int]

  /// The images that have captions, by row, and which those are.
  let images: [(row: Int, captions: ArraySlice<Int>)]

  /// Captions about images whose features are cached.
  public init(
    captions: some Collection<some Collection<Int32>>, rows: [Int],
    references: @escaping @Sendable (Int) -> [[String]] = { _ in [] },
    features: MapCache, views: [MapCache] = [], sources: [Int] = []
  ) {
    self.init(
      captions: captions, rows: rows, references: references,
      photos: CachedPhotos(features: features, views: views), sources: sources)
  }

  /// Captions about images of which something is there; those of unreadable images are left out.
  public init(
    captions: some Collection<some Collection<Int32>>, rows: [Int],
    references: @escaping @Sendable (Int) -> [[String]], names: [String]? = nil,
    photos: any PhotoFeatures, sources: [Int] = []
  ) {
    precondition(captions.count == rows.count && names?.count ?? photos.names.count == photos.names.count)
    precondition(sources.isEmpty || sources.count == photos.names.count)
    var (usable, usableRows) = (EncodedCaptions(), [Int]())
    usableRows.reserveCapacity(rows.count)
    for (caption, row) in zip(captions, rows)
    where photos.isThere(row) {
      usable.append(caption)
      usableRows.append(row)
    }
    let order = usableRows.indices.sorted { (usableRows[$0], $0) < (usableRows[$1], $1) }
    var images: [(row: Int, captions: ArraySlice<Int>)] = []
    var first = 0
    for place in order.indices
    where place + 1 == order.count || usableRows[order[place + 1]] != usableRows[order[place]] {
      images.append((usableRows[order[place]], order[first...place]))
      first = place + 1
    }
    self.captions = usable
    self.rows = usableRows
    self.images = images
    self.references = references
    self.names = names ?? photos.names
    self.photos = photos
    self.sources = sources
  }

  /// The captions, or the places of `images`, of each of so many data sets.
  func sets(_ count: Int, of unit: TrainingConfiguration.BatchUnit) -> [[Int]] {
    var sets = [[Int]](repeating: [], count: count)
    let rows = unit == .captions ? self.rows : images.map(\.row)
    for (place, row) in rows.enumerated() { sets[sources.isEmpty ? 0 : sources[row]].append(place) }
    return sets
  }

  /// The captions at `indices`, each about a row of features of its own: a view of its image that is drawn.
  func batch(
    captions indices: some Collection<Int>, _ share: BatchShare, using random: inout Random
  ) -> TrainingBatch {
    let chosen = indices.map { rows[$0] }
    return TrainingBatch(
      sentences: indices.map { Array(captions[$0]) }, imageRows: (0..<Int32(indices.count)).map { $0 },
      images: chosen, share
    ) { photos.drawn(chosen, at: $0, using: &random) }
  }

  /// All captions of the images at `places` of `images`, each image in a view that is drawn.
  func batch(
    images places: some Collection<Int>, _ share: BatchShare, using random: inout Random
  ) -> TrainingBatch {
    let told = places.enumerated().flatMap { row, place in images[place].captions.map { ($0, Int32(row)) } }
    let chosen = places.map { images[$0].row }
    return TrainingBatch(
      sentences: told.map { Array(captions[$0.0]) }, imageRows: told.map(\.1), images: chosen, share
    ) { photos.drawn(chosen, at: $0, using: &random) }
  }

  /// The features of some images as they are, [N, width].
  func features(_ images: some Collection<Int>) -> Tensor { photos.read(Array(images)) }

  /// The path of an image's file.
  func path(of row: Int) -> String { photos.files?[row] ?? photos.names[row] }

  /// Names the list of images.
  var fingerprintOfNames: String {
    var result = Fingerprint()
    result.add(bytes: names.joined(separator: "\n").utf8)
    return result.text
  }

  /// Names the captions and their images' rows: equal only if they all are.
  var fingerprint: UInt64 {
    var result = Fingerprint()
    for (caption, row) in zip(captions, rows) {
      // No word: a caption begins here.
      result.add(UInt64(bitPattern: Int64(-1 - row)))
      for word in caption { result.add(UInt64(bitPattern: Int64(word))) }
    }
    return result.value
  }
}
