public import Imaging
public import Kernels
internal import Support

/// What decoding photos shows that have no captions.
public struct PhotoCheck: Sendable {
  /// Photos that are not there.
  public private(set) var missing: [DataCheck.BadImage] = []
  /// Photos that can't be decoded.
  public private(set) var corrupt: [DataCheck.BadImage] = []

  /// Decodes each file once.
  /// - Parameters:
  ///   - reader: how they are read.
  ///   - progress: called with the number of photos decoded so far and of all.
  public init(
    _ paths: [String], reader: ImageReader, pool: ThreadPool = .shared, progress: (Int, Int) -> Void
  ) {
    var seen: Set<ExactName> = []
    let paths = paths.filter { seen.insert(ExactName($0)).inserted }
    let survey = ImageSurvey(paths, reader: reader, pool: pool) { progress($0, paths.count) }
    for path in paths {
      switch survey.findings[ExactName(path)] {
      case .missing(let reason): missing.append(.init(image: path, reason: reason))
      case .corrupt(let reason): corrupt.append(.init(image: path, reason: reason))
      case .picture, nil: break
      }
    }
  }
}
