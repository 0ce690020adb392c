internal import Support

/// A caption made for an image, as COCO's results files hold it: `{"image_id": 1, "caption": "…"}`, with the
/// caption's log-probability as `log_prob` if it is known, and its references' as `reference_log_probs`.
public struct CaptionResult: Encodable, Sendable, Equatable {
  /// The image's id.
  public let imageID: Int
  /// The caption.
  public let caption: String
  /// Its natural log-probability.
  public let logProb: Float?
  /// The natural log-probabilities of the image's references, in the order of their file.
  public let referenceLogProbs: [Float]?

  /// A result.
  public init(imageID: Int, caption: String, logProb: Float? = nil, referenceLogProbs: [Float]? = nil) {
    self.imageID = imageID
    self.caption = caption
    self.logProb = logProb
    self.referenceLogProbs = referenceLogProbs
  }

  private enum CodingKeys: String, CodingKey {
    case imageID = "image_id"
    case caption
    case logProb = "log_prob"
    case referenceLogProbs = "reference_log_probs"
  }

  /// Writes a results file, one result a line, whole or not at all. Log-probabilities that are not finite are left
  /// out.
  /// - Throws: `DatasetError.file`.
  public static func write(_ results: [CaptionResult], to path: String) throws(DatasetError) {
    do {
      try AtomicFile.write(to: path) { file in
        var separator = "[\n"
        for result in results {
          try file.write(separator + canonicalJSON(result.finite))
          separator = ",\n"
        }
        try file.write(results.isEmpty ? "[]\n" : "\n]\n")
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "write", reason: "\(error)"))
    }
  }

  private var finite: CaptionResult {
    CaptionResult(
      imageID: imageID, caption: caption, logProb: logProb.flatMap { $0.isFinite ? $0 : nil },
      referenceLogProbs: referenceLogProbs.flatMap { $0.allSatisfy(\.isFinite) ? $0 : nil })
  }
}
