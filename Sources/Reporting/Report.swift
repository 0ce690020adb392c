public import Evaluation
internal import Foundation
internal import Imaging
public import Support

/// An evaluation as one HTML page that needs nothing from the network: scores, charts, and a gallery of photos with
/// their captions, word by word.
public struct Report: Sendable {
  /// How far captions can be trusted.
  public struct Trust: Sendable {
    /// The CIDEr from which on a caption is good.
    public let threshold: Double
    /// The reliability diagram.
    public let reliability: Reliability
    /// Each caption's confidence, in the order of the evaluation's rows.
    public let confidences: [Double]
    /// Where the confidence comes from, for people.
    public let source: String

    /// What is known of the confidence.
    public init(threshold: Double, reliability: Reliability, confidences: [Double], source: String) {
      (self.threshold, self.reliability) = (threshold, reliability)
      (self.confidences, self.source) = (confidences, source)
    }
  }

  /// The page's title, and a line about what was evaluated how.
  public let title, subtitle: String
  /// What came out.
  public let evaluation: Evaluation
  /// How far captions can be trusted, if that is known.
  public let trust: Trust?
  /// What retrieval found, if it was tried.
  public let retrieval: Retrieval?
  /// What ways of searching gave, if they were compared: a name each.
  public let sweep: [(name: String, point: SweepPoint)]

  /// A report.
  public init(
    title: String, subtitle: String, evaluation: Evaluation, trust: Trust? = nil, retrieval: Retrieval? = nil,
    sweep: [(name: String, point: SweepPoint)] = []
  ) {
    precondition(trust.map { $0.confidences.count == evaluation.rows.count } ?? true)
    (self.title, self.subtitle, self.evaluation) = (title, subtitle, evaluation)
    (self.trust, self.retrieval, self.sweep) = (trust, retrieval, sweep)
  }

  /// The most photos in the gallery; of more, a third each of the best, middling and worst.
  public static let galleryLimit = 1000
  /// The most photos whose thumbnails are in the page itself.
  public static let embeddingLimit = 60

  /// Writes the page. Thumbnails are in the page if they are few, else in a folder beside it: `report.html` has
  /// `report-images/`. A photo that can't be read has none.
  /// - Parameter progress: called with the number of thumbnails made.
  /// - Throws: `ReportError`.
  public func write(to path: String, progress: (Int) -> Void = { _ in })
    throws(ReportError)
  {
    let shown = Self.selection(evaluation.rows.map(\.cider))
    let thumbnails = try Thumbnails(
      shown.map { (evaluation.rows[$0].imageID, evaluation.rows[$0].path) }, page: path,
      progress: progress)
    try Self.write(to: path) { try $0.write(Page(self, shown: shown, thumbnails: thumbnails.sources).html()) }
  }

  /// Writes a file, whole or not at all.
  static func write(to path: String, _ body: (inout AtomicFile) throws -> Void) throws(ReportError) {
    do { try AtomicFile.write(to: path, body) } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "write", reason: "\(error)"))
    }
  }

  /// The rows that the gallery shows, in their order.
  static func selection(_ scores: [Double], limit: Int = galleryLimit) -> [Int] {
    guard scores.count > limit else { return Array(scores.indices) }
    let ranked = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    let third = limit / 3
    let middle = (scores.count - third) / 2
    let kept = ranked.prefix(third) + ranked[middle..<middle + third] + ranked.suffix(limit - 2 * third)
    return Set(kept).sorted()
  }
}

/// A report that could not be written.
public enum ReportError: Error, Equatable, CustomStringConvertible {
  /// A file or folder of it can't be written.
  case file(FileError)

  /// One line that names the file.
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    }
  }
}
