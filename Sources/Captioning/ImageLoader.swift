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

  /// A loader for a network's preprocessing.
  public init(_ preprocessing: Preprocessing) { self.preprocessing = preprocessing }

  /// Reads the files at `range` of `paths` (`-`: standard input); a bad file costs that file only.
  /// - Parameter view: what is seen of each, given its place in the list.
  public func load(
    _ paths: [String], _ range: Range<Int>, view: (RGBImage, Int) -> RGBImage = { image, _ in image },
    pool: ThreadPool = .shared
  ) -> Batch {
    let results = Mutex([Result<RGBImage, ImageError>?](repeating: nil, count: range.count))
    pool.run(range.count) { piece in
      let result = Result { () throws(ImageError) -> RGBImage in
        let index = range.lowerBound + piece
        return preprocessing.fitted(view(try Self.read(paths[index]), index))
      }
      results.withLock { $0[piece] = result }
    }
    var (images, indices): ([RGBImage], [Int]) = ([], [])
    var failures: [(index: Int, error: ImageError)] = []
    for (piece, result) in results.withLock({ $0 }).enumerated() {
      switch result {
      case .success(let image):
        images.append(image)
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
    view: @escaping @Sendable (RGBImage, Int) -> RGBImage = { image, _ in image },
    pool: ThreadPool = .shared
  ) -> Prefetcher<Batch> {
    let starts = Array(stride(from: 0, to: paths.count, by: size))
    // Not the pool itself: it is the encoder's meanwhile.
    let readers = starts.count > 1 ? ThreadPool(threads: pool.threads) : pool
    return Prefetcher(count: starts.count) {
      load(paths, starts[$0]..<min(paths.count, starts[$0] + size), view: view, pool: readers)
    }
  }

  /// The picture in a file; `-` is standard input.
  private static func read(_ path: String) throws(ImageError) -> RGBImage {
    path == "-" ? try RGBImage(standardInput: "standard input") : try RGBImage(contentsOf: path)
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
