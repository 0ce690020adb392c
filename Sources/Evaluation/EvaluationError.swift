/// Data that can't be evaluated.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// A results file with no results.
  case noResults(path: String)
  /// Results for images that the references' file lacks.
  case unknownImages(path: String, images: [Int], references: String)
  /// Results for images of which the references' file has no caption.
  case withoutReferences(path: String, images: [Int], references: String)
  /// Too few captions are good, or not good, for a confidence to be fitted.
  case tooFewToCalibrate(threshold: Double, good: Int, others: Int)

  /// One line that says what was expected and what was found.
  public var description: String {
    switch self {
    case .noResults(let path): "\(path): expected results, found none"
    case .unknownImages(let path, let images, let references):
      "\(path): \(Self.list(images)) not among the images of \(references)"
    case .withoutReferences(let path, let images, let references):
      "\(path): \(Self.list(images)) without a caption in \(references)"
    case .tooFewToCalibrate(let threshold, let good, let others):
      "expected at least \(Calibration.fewest) captions with a CIDEr of \(threshold) or more and as many below, "
        + "found \(good) and \(others)"
    }
  }

  /// `image 3`, or `4 images (1, 2, 3, …)`.
  static func list(_ ids: [Int]) -> String {
    let names = ids.prefix(3).map(String.init).joined(separator: ", ")
    return ids.count == 1 ? "image \(names)" : "\(ids.count) images (\(names)\(ids.count > 3 ? ", …" : ""))"
  }

  /// What is said where a score can't tell anything.
  public static let ciderOfOneImage =
    "CIDEr is 0 of a single image: it weighs words by how few of the images have them"
}
