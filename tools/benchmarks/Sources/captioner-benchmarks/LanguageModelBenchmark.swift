import ArgumentParser
import Foundation
import Kernels
import LanguageModels

/// Training steps of a language model of characters, the whole loop but for validation and files: as `captioner
/// language-model train` takes them.
struct LanguageModelBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "language-model")

  @Argument(help: "A text.") var text: String
  @Option(help: "min-char-rnn, or none: Adam, clipping the norm.") var preset = "none"
  @Option var cell = "lstm"
  @Option var layers = 1
  @Option var hidden = 512
  @Option var batch = 32
  @Option var length = 64
  @Option(help: "Steps that are timed together.") var steps = 1
  @Option var threads = 2
  @Option var repetitions = 5

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    var configuration = LanguageModelConfiguration()
    guard let cell = CellName(rawValue: cell) else { throw ValidationError("no cell \(cell)") }
    if let preset = LanguageModelPreset(named: preset) {
      preset.apply(to: &configuration)
    } else {
      configuration.cell = cell
      configuration.layers = layers
      configuration.hiddenSize = hidden
      configuration.batchSize = batch
      configuration.sequenceLength = length
    }
    configuration.text = [text]
    configuration.validationShare = 0
    configuration.epochs = 1 << 20
    configuration.validateEvery = 1 << 40
    configuration.logEvery = 1 << 40
    configuration.steps = (repetitions + 1) * steps
    let folder = NSTemporaryDirectory() + "captioner-language-model-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var marks: [ContinuousClock.Instant] = []
    var tokens = 1
    var loss = 0.0
    try LanguageModelRun(configuration, folder: folder).run(report: { event in
      guard case .progress(let step, _, let count, let smoothLoss) = event else { return }
      if step % steps == 0 { marks.append(.now) }
      tokens = count * steps
      loss = smoothLoss
    })
    // The first of them only warms.
    let times = zip(marks, marks.dropFirst()).map {
      ($1 - $0) / .milliseconds(1) * 1000 / Double(tokens)
    }
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))", "precision": "f32", "threads": threads,
      "times": times, "smooth_loss": loss,
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
