internal import Foundation
public import Imaging
public import Kernels
public import Support
internal import Synchronization
public import Tensors

/// Reads image files, a batch at a time and several at once, into the network's input.
public struct ImageLoader: Sendable {
  /// What the files of a batch gave.
  public struct Batch: Sendable {
    /// The images that could be read, [N, H, W, 3], in the order of `indices`.
    public let images: Tensor
    /// Where each of them stands in the list.
    public let indices: [Int]
    /// The files that could not be read: where they stand in the list, and why.
    public let failures: [(index: Int, error: ImageError)]
  }

  private let preprocessing: Preprocessing
  private let reader: ImageReader

  /// A loader for a network's preprocessing.
  /// - Parameter reader: how files are read; it is told what is odd about them, in their order.
  public init(_ preprocessing: Preprocessing, reader: ImageReader = ImageReader()) {
    self.preprocessing = preprocessing
    self.reader = reader
  }

  /// Reads the files at `range` of `paths`; a bad file costs that file only.
  /// - Parameter view: what is seen of each, given its place in the list.
  public func load(
    _ paths: [String], _ range: Range<Int>,
    view: (ImageSize, Int) -> ImageCrop = { size, _ in ImageCrop(all: size) },
    pool: ThreadPool = .shared
  ) -> Batch {
    typealias Reading = (image: RGBImage, warning: String?)
    let results = Mutex([Result<Reading, ImageError>?](repeating: nil, count: range.count))
    pool.run(range.count) { piece in
      let result = Result { () throws(ImageError) -> Reading in
        let index = range.lowerBound + piece
        return try reader.fitted(contentsOf: paths[index], to: preprocessing) { view($0, index) }
      }
      results.withLock { $0[piece] = result }
    }
    var (images, indices): ([RGBImage], [Int]) = ([], [])
    var failures: [(index: Int, error: ImageError)] = []
    for (piece, result) in results.withLock({ $0 }).enumerated() {
      switch result {
      case .success(let reading):
        images.append(reading.image)
        if let warning = reading.warning { reader.warn(warning) }
        indices.append(range.lowerBound + piece)
      case .failure(let error): failures.append((range.lowerBound + piece, error))
      case nil: break
      }
    }
    return Batch(images: input(images), indices: indices, failures: failures)
  }

  /// The batches of `size` files, in order: each is read while the one before it is used, by as many threads as `pool`
  /// has; at most two exist at a time.
  /// - Parameter view: what is seen of each, given its place in the list.
  public func batches(
    _ paths: [String], of size: Int,
    view: @escaping @Sendable (ImageSize, Int) -> ImageCrop = { size, _ in ImageCrop(all: size) },
    pool: ThreadPool = .shared
  ) -> Prefetcher<Batch> {
    let starts = Array(stride(from: 0, to: paths.count, by: size))
    // Not the pool itself: it is the encoder's meanwhile.
    let readers = starts.count > 1 ? ThreadPool(threads: pool.threads) : pool
    return Prefetcher(count: starts.count) {
      load(paths, starts[$0]..<min(paths.count, starts[$0] + size), view: view, pool: readers)
    }
  }

  /// Pictures, already `fitted`, as the network's input [N, H, W, 3].
  public func input(_ images: [RGBImage]) -> Tensor {
    var input = Tensor(uninitialized: [images.count, preprocessing.height, preprocessing.width, 3])
    let base = input.mutablePointer()
    let size = preprocessing.height * preprocessing.width * 3
    for (index, image) in images.enumerated() { preprocessing.normalise(image, into: base + index * size) }
    return input
  }
}
