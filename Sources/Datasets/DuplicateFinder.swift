internal import Support

/// Finds pictures that come twice: it knows the first path of every picture so far.
struct DuplicateFinder {
  private var byPath: Set<ExactName> = []
  private var byPixels: [UInt64: String] = [:]

  /// The picture's earlier occurrence; when there is none, this one is remembered.
  mutating func twin(of path: String, _ survey: ImageSurvey, remember: Bool = true) -> DataCheck.Twins? {
    if byPath.contains(ExactName(path)) { return .init(image: path, first: path) }
    if remember { byPath.insert(ExactName(path)) }
    guard case .picture(let fingerprint)? = survey.findings[ExactName(path)] else { return nil }
    if let first = byPixels[fingerprint] { return .init(image: path, first: first) }
    if remember { byPixels[fingerprint] = path }
    return nil
  }
}
