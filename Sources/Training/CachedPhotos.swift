public import Datasets
internal import Tensors

/// Photos whose features are cached, and other views of them for training to choose among.
public struct CachedPhotos {
  /// Features of the photos, a row each.
  public let features: MapCache
  /// Those of other views.
  public let views: [MapCache]

  /// Features of one width.
  public init(features: MapCache, views: [MapCache] = []) {
    self.features = features
    self.views = views
  }

  /// Whether a row's features are there, of all views.
  func isThere(_ row: Int) -> Bool { ([features] + views).allSatisfy { $0.status(of: row) == .done } }

  /// The features of some rows, [N, width].
  /// - Parameter view: which view of each; 0 is the photo itself.
  func read(_ rows: some Collection<Int>, view: (Int) -> Int = { _ in 0 }) -> Tensor {
    let width = features.width
    var result = Tensor(uninitialized: [rows.count, width])
    let memory = result.mutablePointer()
    for (position, row) in rows.enumerated() {
      let seen = view(position)
      (seen == 0 ? features : views[seen - 1]).read(row, into: memory + position * width)
    }
    return result
  }
}
