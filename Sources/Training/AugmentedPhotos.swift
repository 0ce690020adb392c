internal import Datasets
internal import Imaging
internal import Kernels
internal import Models
internal import Support
internal import Tensors

/// Photos that training sees changed anew at every step: a part of each is taken, stretched and given other colours, and
/// goes through the frozen convolutions then.
struct AugmentedPhotos: PhotoFeatures {
  private let photos: ReducedPhotoCache
  private let encoder: VGGEncoder
  private let tap: VGGEncoder.Tap
  private let augmentation: RandomAugmentation
  let key: String
  let width: Int

  /// - Parameters:
  ///   - encoder: the frozen convolutions, with its preprocessing.
  ///   - tap: what is taken of them.
  ///   - key: their fingerprint.
  ///   - augmentation: how photos are changed.
  init(
    _ photos: ReducedPhotoCache, through encoder: VGGEncoder, _ tap: VGGEncoder.Tap, key: String,
    _ augmentation: RandomAugmentation
  ) {
    self.photos = photos
    self.encoder = encoder
    self.tap = tap
    self.augmentation = augmentation
    self.key = key
    width = tap == .map ? encoder.mapShape.count : encoder.architecture.pooledSize
  }

  /// The most pixels that are kept of a photo for what a network reads: of one whose sides are as 4 to 3, 256 on the shorter
  /// for 224.
  static func pixels(for preprocessing: Preprocessing) -> Int {
    let side = max(preprocessing.width, preprocessing.height) * 8 / 7
    return side * side * 4 / 3
  }

  var isCached: Bool { false }
  var names: [String] { photos.names }
  var files: [String]? { photos.files }

  func isThere(_ row: Int) -> Bool { photos.status(of: row) == .done }

  func read(_ rows: [Int]) -> Tensor {
    features(rows) { [preprocessing = encoder.preprocessing] image, _ in preprocessing.fitted(image) }
  }

  func drawn(_ rows: [Int], at places: [Int], using random: inout Random) -> Tensor {
    // Drawn here, in order, so that it does not matter which thread changes which photo.
    let seeds = rows.map { _ in random.next() }
    let preprocessing = encoder.preprocessing
    return features(places.map { rows[$0] }) { [augmentation] image, place in
      var random = Random(seed: seeds[places[place]])
      return augmentation(
        image, width: preprocessing.width, height: preprocessing.height, using: &random)
    }
  }

  /// What the frozen convolutions make of some rows' photos [N, width], as `seen` has each, given its place in `rows`; a few
  /// at a time, so that memory is bounded.
  private func features(_ rows: [Int], seen: (RGBImage, Int) -> RGBImage) -> Tensor {
    var result = Tensor(uninitialized: [rows.count, width])
    let memory = result.mutablePointer()
    let preprocessing = encoder.preprocessing
    let size = preprocessing.height * preprocessing.width * 3
    for start in stride(from: 0, to: rows.count, by: VGGEncoder.batchSize) {
      let places = start..<min(rows.count, start + VGGEncoder.batchSize)
      var input = Tensor(uninitialized: [places.count, preprocessing.height, preprocessing.width, 3])
      // Each photo writes its own part.
      nonisolated(unsafe) let base = input.mutablePointer()
      ThreadPool.shared.run(places.count) { piece in
        let place = start + piece
        preprocessing.normalise(seen(photos.image(of: rows[place]), place), into: base + piece * size)
      }
      let features = tap == .map ? encoder.maps(input) : encoder.pooled(input)
      withExtendedLifetime(features) {
        (memory + start * width).update(from: features.pointer, count: features.count)
      }
    }
    return result
  }
}
