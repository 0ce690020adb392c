public import Imaging
public import Kernels
internal import Support

/// What decoding photos shows that have no captions.
public struct PhotoCheck: Sendable {
  /// Photos that are not there.
  public private(set) var missing: [DataCheck.BadImage] = []
  /// Photos that can't be decoded.
  public private(set) var corrupt: [DataCheck.BadImage] = []

  /// Decodes each file once, or looks its features up.
  /// - Parameters:
  ///   - reader: how they are read.
  ///   - features: what there is in the place of photos; nil: they themselves.
  ///   - progress: called with the number of photos read so far and of all.
  public init(
    _ photos: [NamedImage], reader: ImageReader, features: FeatureFiles? = nil, pool: ThreadPool = .shared,
    progress: (Int, Int) -> Void
  ) {
    var seen: Set<ExactName> = []
    let photos = photos.filter { seen.insert(ExactName($0.path)).inserted }
    let survey = ImageSurvey(photos, reader: reader, features: features, pool: pool) {
      progress($0, photos.count)
    }
    for path in photos.map(\.path) {
      switch survey.findings[ExactName(path)] {
      case .missing(let reason): missing.append(.init(image: path, reason: reason))
      case .corrupt(let reason): corrupt.append(.init(image: path, reason: reason))
      case .picture, nil: break
      }
    }
  }
}
