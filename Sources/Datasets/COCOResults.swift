internal import Support

/// A caption made for an image, as COCO's results files hold it: `{"image_id": 1, "caption": "…"}`, with the
/// caption's log-probability as `log_prob` if it is known, and its references' as `reference_log_probs`.
public struct CaptionResult: Codable, Sendable, Equatable {
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
    (self.imageID, self.caption, self.logProb) = (imageID, caption, logProb)
    self.referenceLogProbs = referenceLogProbs
  }

  private enum CodingKeys: String, CodingKey {
    case imageID = "image_id"
    case caption
    case logProb = "log_prob"
    case referenceLogProbs = "reference_log_probs"
  }

  /// Reads one result.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    imageID = try container.decode(ImageID.self, forKey: .imageID).value
    caption = try container.decode(String.self, forKey: .caption)
    logProb = try container.decodeIfPresent(Float.self, forKey: .logProb)
    referenceLogProbs = try container.decodeIfPresent([Float].self, forKey: .referenceLogProbs)
  }

  /// Reads a results file.
  /// - Throws: `DatasetError` when it can't be read, is no such list, or has two results for one image.
  public static func read(from path: String) throws(DatasetError) -> [CaptionResult] {
    let results = try decodeJSONFile([CaptionResult].self, at: path)
    var seen: Set<Int> = []
    for (index, result) in results.enumerated() where !seen.insert(result.imageID).inserted {
      throw .duplicate(path: path, location: "[\(index)].image_id", id: result.imageID)
    }
    return results
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
