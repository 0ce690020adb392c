public import Evaluation
internal import Foundation
internal import Imaging
internal import CaptionMetrics
public import Support

/// An evaluation as one HTML page that needs nothing from the network: scores, charts, and a gallery of photos with
/// their captions, word by word.
public struct Report: Sendable {
  /// The page's title, and a line about what was evaluated how.
  public let title, subtitle: String
  /// What came out.
  public let evaluation: Evaluation
  /// How far captions can be trusted, if that is known.
  public let trust: Trust?
  /// What retrieval found, if it was tried.
  public let retrieval: Retrieval?
  /// What ways of searching gave, if they were compared.
  public let sweep: [SweepPoint]
  /// Where the model looked, if that is known.
  public var looks: GalleryLooks?

  /// A report.
  public init(
    title: String, subtitle: String, evaluation: Evaluation, trust: Trust? = nil, retrieval: Retrieval? = nil,
    sweep: [SweepPoint] = []
  ) {
    precondition(trust.map { $0.confidences.count == evaluation.rows.count } ?? true)
    self.title = title
    self.subtitle = subtitle
    self.evaluation = evaluation
    self.trust = trust
    self.retrieval = retrieval
    self.sweep = sweep
  }

  /// The report of an evaluation and its summary.
  /// - Parameters:
  ///   - data: the caption file.
  ///   - model: the model file.
  ///   - ways: how captions were found.
  public init(
    _ evaluation: Evaluation, _ summary: EvaluationSummary, data: String, model: String, ways: String
  ) {
    func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
    let references = evaluation.rows.reduce(0) { $0 + $1.image.references.count }
    self.init(
      title: "\(name(model)) on \(name(data))",
      subtitle: "\(evaluation.rows.count) photos with \(references) references; \(ways).",
      evaluation: evaluation, trust: summary.trust, retrieval: summary.retrieval,
      sweep: summary.sweep ?? [])
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
    let shown = Self.shown(of: evaluation)
    let thumbnails = try Thumbnails(
      shown.map { (evaluation.rows[$0].image.id, evaluation.rows[$0].image.path) }, page: path,
      progress: progress)
    try Self.write(to: path) { try $0.write(Page(self, shown: shown, thumbnails: thumbnails.sources).html()) }
  }

  /// The folder beside a page that holds its thumbnails when they are many: `report.html` has `report-images`.
  public static func thumbnailFolder(of page: String) -> String { Thumbnails.folder(of: page) }

  /// Writes a file, whole or not at all.
  static func write(to path: String, _ body: (inout AtomicFile) throws -> Void) throws(ReportError) {
    do { try AtomicFile.write(to: path, body) } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(path: path, action: "write", reason: "\(error)"))
    }
  }

  /// The rows of an evaluation that the gallery shows, in their order.
  public static func shown(of evaluation: Evaluation) -> [Int] {
    selection(evaluation.rows.map(\.scores.cider))
  }

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
