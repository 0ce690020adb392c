internal import Foundation
internal import Training

/// What `log.jsonl` tells of a run.
struct TrainingLog {
  /// The steps that were logged, and the epochs that are over.
  private(set) var steps: [TrainingRecord.Step] = []
  private(set) var epochs: [TrainingRecord.Epoch] = []
  /// Lines that are neither. A last line without an end is not counted: it is being written, or the disk is full.
  private(set) var unreadable = 0

  /// Reads the text of a log.
  init(_ text: Data) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    let isTorn = text.last.map { $0 != UInt8(ascii: "\n") } ?? false
    for (number, line) in lines.enumerated() {
      if let step = try? decoder.decode(TrainingRecord.Step.self, from: line) {
        steps.append(step)
      } else if let epoch = try? decoder.decode(TrainingRecord.Epoch.self, from: line) {
        epochs.append(epoch)
      } else if !(isTorn && number == lines.count - 1) {
        unreadable += 1
      }
    }
  }

  /// The epoch whose weights are in `model.safetensors`.
  var best: TrainingRecord.Epoch? { epochs.last { $0.best } }

  /// Seconds spent until the last epoch's end, in all sittings.
  var seconds: Double {
    guard let last = epochs.last, last.seconds.isFinite else { return 0 }
    return max(0, last.seconds)
  }

  /// Seconds an epoch took lately; nil before the first is over.
  var pace: Double? {
    guard let last = epochs.last else { return nil }
    let before = epochs.dropLast().suffix(5).first
    let span = Double(last.epoch) - Double(before?.epoch ?? 0)
    let pace = (last.seconds - (before?.seconds ?? 0)) / max(1, span)
    return pace.isFinite && pace >= 0 ? pace : nil
  }
}
