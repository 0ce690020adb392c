public import Datasets
public import Support
public import Tensors

/// Photos whose features are cached, and other views of them for training to choose among.
public struct CachedPhotos: PhotoFeatures {
  /// Features of the photos, a row each.
  public let features: MapCache
  /// Those of other views.
  public let views: [MapCache]

  /// Features of one width.
  public init(features: MapCache, views: [MapCache] = []) {
    self.features = features
    self.views = views
  }

  /// The photos' names.
  public var names: [String] { features.names }
  /// Their files, where they are known.
  public var files: [String]? { features.files }
  /// What makes the features.
  public var key: String { features.key }
  /// Scalars of a photo.
  public var width: Int { features.width }
  /// They are.
  public var isCached: Bool { true }

  /// Whether a row's features are there, of all views.
  public func isThere(_ row: Int) -> Bool { ([features] + views).allSatisfy { $0.status(of: row) == .done } }

  /// The features of some rows [N, width].
  public func read(_ rows: [Int]) -> Tensor { read(rows, views: rows.map { _ in 0 }) }

  /// The same, each of a view that is drawn.
  public func drawn(_ rows: [Int], at places: [Int], using random: inout Random) -> Tensor {
    let chosen = rows.map { _ in Int.random(in: 0...views.count, using: &random) }
    return read(places.map { rows[$0] }, views: places.map { chosen[$0] })
  }

  /// The features of some rows [N, width], each of one of the views: 0 is the photo itself.
  private func read(_ rows: [Int], views chosen: [Int]) -> Tensor {
    var result = Tensor(uninitialized: [rows.count, width])
    let memory = result.mutablePointer()
    for (position, (row, view)) in zip(rows, chosen).enumerated() {
      (view == 0 ? features : views[view - 1]).read(row, into: memory + position * width)
    }
    return result
  }
}
