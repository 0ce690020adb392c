public import Datasets
public import Tensors

/// Features that come from another program's encoder, in the place of convolutions: what a model wants that was trained on
/// them.
public struct GivenFeatures: Sendable, Equatable, Codable {
  /// What whoever trained the model calls them, `CLIP ViT-B/32` say; may be empty.
  public var name: String
  /// D: numbers of an image, or of each of its regions.
  public let width: Int
  /// The grid of regions, one row where they are in no order; nil: an image has one vector.
  public let rows, columns: Int?
  /// What the vector, or the mean of the regions, is multiplied by where it is v itself.
  public var scale: Float = 1

  /// The longest name.
  public static let longestName = 200

  /// Of a shape: [D], [R, D] or [h, w, D].
  public init(_ shape: Shape, name: String = "") {
    let extents = shape.dimensions
    precondition((1...3).contains(extents.count) && extents.allSatisfy { $0 > 0 })
    self.name = name
    width = extents.last ?? 1
    rows = extents.count == 1 ? nil : extents.count == 2 ? 1 : extents[0]
    columns = extents.count == 1 ? nil : extents[extents.count - 2]
  }

  /// Whether an image has regions.
  public var hasRegions: Bool { columns != nil }

  /// [h, w, D] of an image.
  var mapShape: Shape { [rows ?? 1, columns ?? 1, width] }

  /// What an image has, for people: `512 numbers an image`, `36 regions of 2048 numbers an image`.
  public var sizesText: String {
    guard let rows, let columns else { return "\(width) numbers an image" }
    return "\(rows > 1 ? "\(rows)×\(columns)" : "\(columns)") regions of \(width) numbers an image"
  }

  /// Name and sizes, for people: `features of CLIP ViT-B/32, 512 numbers an image`.
  public var text: String { (name.isEmpty ? "features, " : "features of \(name), ") + sizesText }

  /// Whether a model can be of such features.
  var isPossible: Bool {
    let extents = [width, rows ?? 1, columns ?? 1]
    return extents.allSatisfy { (1...FeatureFile.widest).contains($0) } && (rows == nil) == (columns == nil)
      && extents.dropFirst().reduce(1, *) <= FeatureFile.widest && mapShape.count <= 1 << 26
      && name.utf8.count <= Self.longestName && scale > 0 && scale.isFinite
  }
}

extension ModelDescription {
  /// Makes sure that files hold the features that the model wants.
  /// - Throws: `ModelError.unsupported`.
  public func check(_ files: FeatureFiles) throws(ModelError) {
    guard let wanted = encoder.given else {
      throw .unsupported(
        path: files.name, expected: "features for a model that was trained on such (train --features)",
        found: "a model with convolutions of its own, which reads photos")
    }
    let found = GivenFeatures(files.shape)
    guard found.width == wanted.width, found.rows == wanted.rows, found.columns == wanted.columns else {
      throw .unsupported(
        path: files.name, expected: "\(wanted.text), as the model was trained on", found: found.sizesText)
    }
  }
}
