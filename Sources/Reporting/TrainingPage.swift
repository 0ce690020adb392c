internal import Foundation
internal import Tensors

/// `report.html` in a run's folder: how training goes, from `log.jsonl` and `config.json` beside it, so that it tells
/// of all sittings. One file, nothing from the network; it can be read without its script.
public struct TrainingPage {
  /// What the run is doing.
  public enum State: Sendable, Equatable {
    /// It trains; `epochs` are done, the part of the one under way counted.
    case running(epochs: Double)
    /// It was stopped, or ended by an error; why, for people.
    case stopped(reason: String)
    /// It came to its end.
    case finished
  }

  private let folder: String
  /// Thumbnails by photo: they are made once.
  private var thumbnails: [String: String?] = [:]
  /// When the last epoch ended, as far as this page saw it.
  private var mark = (epochs: -1, time: ContinuousClock.now)

  /// The page of the run in `folder`.
  public init(folder: String) { self.folder = folder }

  /// Writes the page, whole or not at all. A log that is missing, or torn at its end, gives what there is.
  /// - Throws: `ReportError`.
  public mutating func write(_ state: State) throws(ReportError) {
    let html = html(state, updated: Self.stamp(.now))
    try Report.write(to: folder + "/report.html") { try $0.write(html) }
  }

  /// The page's text; `updated` says when.
  mutating func html(_ state: State, updated: String) -> String {
    let log = TrainingLog(FileManager.default.contents(atPath: folder + "/log.jsonl") ?? Data())
    if log.epochs.count != mark.epochs { mark = (log.epochs.count, .now) }
    for sample in log.epochs.last?.samples ?? [] where thumbnails[sample.image] == nil {
      thumbnails[sample.image] = .some(Thumbnails.embedded(sample.image, side: 360))
    }
    let options = RunOptions(FileManager.default.contents(atPath: folder + "/config.json") ?? Data())
    let isRunning = if case .running = state { true } else { false }
    return TrainingDocument(
      name: Self.name(of: folder), log: log, options: options, state: state, updated: updated,
      passed: log.seconds + (isRunning ? (ContinuousClock.now - mark.time) / .seconds(1) : 0),
      thumbnails: thumbnails.compactMapValues(\.self)
    ).html()
  }

  private static func name(of folder: String) -> String {
    let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
    return name.isEmpty || name == "/" ? folder : name
  }

  private static func stamp(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd HH:mm:ss zzz"
    return formatter.string(from: date)
  }
}
