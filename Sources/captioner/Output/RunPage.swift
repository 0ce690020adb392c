import Foundation
import Reporting

/// The training page while a run goes. Training never ends for its sake: a page that can't be written is one warning.
final class RunPage {
  private var page: TrainingPage
  private var hasComplained = false
  private var lastWritten = ContinuousClock.now

  /// The page of the run in `folder`.
  init(folder: String) { page = TrainingPage(folder: folder) }

  /// Writes it now.
  func write(_ state: TrainingPage.State) {
    do {
      try page.write(state)
    } catch {
      if !hasComplained { Console.complain("the training page: \(error)") }
      hasComplained = true
    }
    lastWritten = .now
  }

  /// So many of the epoch's batches are done: writes it once a minute.
  func progress(epoch: Int, batch: Int, of batches: Int) {
    guard ContinuousClock.now - lastWritten > .seconds(60) else { return }
    write(.running(epochs: Double(epoch - 1) + Double(batch) / Double(max(1, batches))))
  }
}
