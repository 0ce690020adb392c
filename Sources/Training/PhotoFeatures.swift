public import Support
public import Tensors

/// Where training has what it learns of photos from: features, a row each.
public protocol PhotoFeatures {
  /// The photos' names.
  var names: [String] { get }
  /// Their files, where they are known.
  var files: [String]? { get }
  /// What makes the features.
  var key: String { get }
  /// Scalars of a photo.
  var width: Int { get }
  /// Whether reading them costs next to nothing; else the frozen convolutions run at every read.
  var isCached: Bool { get }
  /// Whether there is something of a row's photo.
  func isThere(_ row: Int) -> Bool
  /// The features of some rows' photos as they are, [N, width].
  func read(_ rows: [Int]) -> Tensor
  /// The features of some rows' photos as a step sees them, each in a view of its own that is drawn.
  /// - Parameter places: of which of the rows they are wanted.
  /// - Returns: [places, width].
  func drawn(_ rows: [Int], at places: [Int], using random: inout Random) -> Tensor
}

extension PhotoFeatures {
  /// The same of all rows.
  public func drawn(_ rows: [Int], using random: inout Random) -> Tensor {
    drawn(rows, at: Array(rows.indices), using: &random)
  }
}
