import Datasets
import Foundation
import Support
import Training

/// Shows a training run as it goes: lines and a bar on standard error, and the training page.
final class RunMonitor {
  private let folder: String
  /// The page; nil until the run has begun: what was there before is not ours to change.
  private var page: RunPage?
  /// Images that can't be read.
  private(set) var unreadable = 0
  /// Whether the best epoch's model says the same of every photo.
  private var isMonotonous = false
  private var bar: (name: String, line: ProgressLine)?

  /// Of the run in `folder`.
  init(folder: String) { self.folder = folder }

  /// Shows what happened.
  func show(_ event: TrainingRun.Event) {
    switch event {
    case .message(let text): note(text)
    case .warning(let text):
      bar?.line.clear()
      Console.complain(text)
    case .opened: Interruption.watch()
    case .features(let name, let done, let total):
      update(name, total: total, unit: "images", done: done)
      if done == total {
        bar?.line.finish(done)
        bar = nil
      }
    case .unreadable(let images): unreadable = images
    case .began:
      page = RunPage(folder: folder)
      page?.write(.running(epochs: 0))
    case .progress(let epoch, let batch, let batches, let loss):
      update(
        epoch > 0 ? "epoch \(epoch)" : "before the captions", total: batches, unit: "batches",
        from: batch - 1, done: batch, note: String(format: "loss %.3f", loss))
      // Another stage may follow, of other steps.
      if epoch == 0 && batch == batches {
        bar?.line.finish(batch)
        bar = nil
      }
      page?.progress(epoch: epoch, batch: batch, of: batches)
    case .epoch(let record):
      note(record.line)
      page?.write(.running(epochs: Double(record.epoch)))
      if record.best { isMonotonous = record.validation.isMonotonous }
      if record.validation.hasCollapsed {
        Console.complain(
          "all photos get much the same caption: that passes early in a run, later a lower --learning-rate may help"
        )
      }
    }
  }

  /// The run came to its end.
  func finish(perplexity: Double) {
    page?.write(.finished)
    if isMonotonous {
      Console.complain(
        "the model says the same of every validation photo: more captions, more --epochs or a smaller --batch-size "
          + "may help")
    }
    if unreadable > 0 { Console.complain("\(unreadable) images can't be read and were left out") }
    note(String(format: "%@: validation perplexity %.2f", folder + "/model.safetensors", perplexity))
  }

  /// The run ended by an error, which the caller reports.
  func stop(_ error: any Error) {
    bar?.line.clear()
    page?.write(.stopped(reason: "\(error)"))
  }

  private func note(_ text: String) {
    bar?.line.clear()
    Console.note(text)
  }

  private func update(
    _ name: String, total: Int, unit: String, from first: Int = 0, done: Int, note: String = ""
  ) {
    if bar?.name != name { bar = (name, ProgressLine(name, total: total, unit: unit, from: first)) }
    bar?.line.update(done, note: note)
  }
}
