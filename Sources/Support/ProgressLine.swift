internal import Foundation
internal import Synchronization

/// How far a long job is, on standard error: redrawn in place on a terminal that can (`TERM` is not `dumb`), else a line
/// every ten seconds. It has no colours (`NO_COLOR`).
/// Nothing is said of a job that takes under a second.
public struct ProgressLine {
  private let title, unit: String
  private let total, first: Int
  private let interactive: Bool
  private let clock: () -> Double
  private let sink: (String) -> Void
  private let start: Double
  private var lastDrawn: Double
  private var drawn = false
  /// Whether some line stands on the terminal, where other text would be put behind it.
  private static let isShown = Mutex(false)

  /// A job of `total` units, beginning now.
  /// - Parameter first: the units that were done before: they don't count for the rate.
  public init(_ title: String, total: Int, unit: String, from first: Int = 0) {
    self.init(
      title, total: total, unit: unit, from: first,
      interactive: isatty(2) == 1 && Self.canRedraw(ProcessInfo.processInfo.environment["TERM"]),
      clock: { ProcessInfo.processInfo.systemUptime },
      sink: { text in
        Self.isShown.withLock { $0 = !text.hasSuffix("\n") && text != Self.clearing }
        writeToStandardError(text)
      })
  }

  /// Clears the line that stands on the terminal, if there is one, for other text.
  public static func makeRoom() {
    let wasShown = isShown.withLock { shown in
      defer { shown = false }
      return shown
    }
    if wasShown { writeToStandardError(clearing) }
  }

  /// Whether a terminal of this kind takes the codes that a line is redrawn with.
  static func canRedraw(_ terminal: String?) -> Bool { terminal.map { $0 != "dumb" } ?? false }

  private static let clearing = "\r\u{1B}[K"

  /// As the public one, with a clock in seconds and a place for the text of one's own.
  init(
    _ title: String, total: Int, unit: String, from first: Int = 0, interactive: Bool,
    clock: @escaping () -> Double,
    sink: @escaping (String) -> Void
  ) {
    self.title = title
    self.unit = unit
    self.total = total
    self.interactive = interactive
    self.first = first
    self.clock = clock
    self.sink = sink
    start = clock()
    lastDrawn = start
  }

  /// Says that `done` units are done, if it is time to.
  public mutating func update(_ done: Int, note: String = "") {
    let now = clock()
    guard now - lastDrawn >= (interactive ? (drawn ? 0.2 : 1) : 10) else { return }
    lastDrawn = now
    drawn = true
    let rate = Double(done - first) / max(now - start, 1e-9)
    let left = rate > 0 ? Double(total - done) / rate : 0
    let tail = note.isEmpty ? "" : ", " + note
    let text =
      "\(title): \(done) of \(total) \(unit) (\(100 * done / max(total, 1)) %), "
      + "\(Self.number(rate)) a second, \(Self.duration(left)) left\(tail)"
    sink(interactive ? Self.clearing + text : text + "\n")
  }

  /// Clears the line, and sums up a job that was long enough to be mentioned.
  public mutating func finish(_ done: Int) {
    let seconds = clock() - start
    clear()
    guard seconds >= 1 else { return }
    let rate = Double(done - first) / seconds
    sink("\(title): \(done) \(unit) in \(Self.duration(seconds)), \(Self.number(rate)) a second\n")
  }

  /// Clears the line, if there is one, for other text.
  public func clear() { if drawn && interactive { sink(Self.clearing) } }

  private static func number(_ value: Double) -> String {
    String(format: value < 10 ? "%.1f" : "%.0f", value)
  }

  /// For instance `45 s`, `3 min 05 s` or `2 h 10 min`.
  public static func duration(_ seconds: Double) -> String {
    let whole = Int(saturating: min(max(seconds, 0), 1e9).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(String(format: "%02d", whole % 60)) s" }
    return "\(whole / 3600) h \(String(format: "%02d", whole / 60 % 60)) min"
  }
}
