import Foundation
import Testing

/// A folder in which a tiny run takes a second or two.
struct TrainingPlace {
  let place: Workplace
  let captions: String

  static func with(_ body: (TrainingPlace) throws -> Void) throws {
    try Workplace.with { place in try body(TrainingPlace(place: place, captions: place.dataset())) }
  }

  func arguments(_ output: String, _ more: String...) -> [String] { arguments(output, more) }

  func arguments(_ output: String, _ more: [String]) -> [String] {
    // Options of files may be repeated: the usual ones only where no others are given.
    let files = [("--captions", captions), ("--images", "photos"), ("--validation-captions", captions)]
    return ["train"] + files.flatMap { more.contains($0.0) ? [] : [$0.0, $0.1] } + [
      "--encoder", place.model, "--output", output, "--embedding-size", "8", "--hidden-size", "16",
      "--feature-size", "16",
      "--min-count", "1", "--batch-size", "2", "--learning-rate", "0.02", "--epochs", "40", "--stop-patience",
      "40",
    ] + more
  }

  func run(_ arguments: [String]) throws -> CaptionerProcess.Outcome { try place.start(arguments).outcome() }

  /// Model and log, without the times.
  func result(_ output: String) throws -> [String] {
    let model = try Data(contentsOf: URL(fileURLWithPath: "\(place.folder)/\(output)/model.safetensors"))
    let log = try String(contentsOfFile: "\(place.folder)/\(output)/log.jsonl", encoding: .utf8)
    return [model.base64EncodedString(), log.replacing(/,"seconds":[^,}]*/, with: "")]
  }

  func page(_ output: String) throws -> String {
    try String(contentsOfFile: "\(place.folder)/\(output)/report.html", encoding: .utf8)
  }

  func files(_ output: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(place.folder)/\(output)").sorted()
      .map { $0.replacing(/features-[0-9a-f]+/, with: "features") }
  }

  /// Waits until the run has got somewhere: its log has that many lines, or it has ended.
  func wait(for lines: Int, in output: String, _ process: CaptionerProcess) throws {
    let deadline = ContinuousClock.now + CaptionerProcess.limit
    while process.isRunning {
      try #require(ContinuousClock.now < deadline, "no \(lines) lines of \(output)/log.jsonl")
      let log = FileManager.default.contents(atPath: "\(place.folder)/\(output)/log.jsonl") ?? Data()
      if log.count(where: { $0 == 10 }) >= lines { return }
      usleep(2000)
    }
  }
}
