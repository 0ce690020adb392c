import Foundation
import Kernels
import TestSupport
import Testing

@testable import LanguageModels
@testable import Training

/// A small run in a folder.
struct TinyLanguageRun {
  let folder: String
  var configuration = LanguageModelConfiguration()

  init(_ folder: String, _ text: String = String(repeating: "abcab cabcab\n", count: 40)) throws {
    self.folder = folder
    configuration.text = [try textFile(folder, Array(text.utf8))]
    configuration.hiddenSize = 12
    configuration.batchSize = 3
    configuration.sequenceLength = 8
    configuration.epochs = 3
    configuration.learningRate = 0.01
    configuration.layers = 2
    configuration.outputDropout = 0.1
    configuration.layerDropout = 0.1
    configuration.averageDecay = 0.9
    configuration.schedule = .cosine
  }

  /// Runs to its end, or is stopped before step `stop`.
  @discardableResult
  func run(_ name: String = "run", resume: Bool = false, stop: Int = .max) throws -> [LanguageModelRun.Event]
  {
    var (asked, events) = (0, [LanguageModelRun.Event]())
    try LanguageModelRun(configuration, folder: folder + "/" + name, resume: resume).run(
      shouldStop: {
        asked += 1
        return asked > stop
      }, report: { events.append($0) })
    return events
  }

  /// A file of a run, without what tells of time.
  func file(_ name: String, _ run: String = "run") throws -> Data {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(run)/\(name)"))
    guard name == "log.jsonl" else { return data }
    let text = String(decoding: data, as: UTF8.self).replacing(/"seconds":[0-9.e-]+/, with: "")
    return Data(text.utf8)
  }
}

@Suite struct LanguageModelRunTests {
  /// A text of three letters in a fixed order is soon known by heart.
  @Test(arguments: CellName.allCases) func everyCellLearns(cell: CellName) throws {
    try withTemporaryFolder { folder in
      var run = try TinyLanguageRun(folder, String(repeating: "abcab cabcab\n", count: 80))
      run.configuration.cell = cell
      run.configuration.layers = 1
      run.configuration.epochs = 12
      run.configuration.learningRate = 0.02
      let events = try run.run()
      let records = events.compactMap { if case .validated(let record) = $0 { record } else { nil } }
      #expect(records.count == 12)
      let best = try #require(records.compactMap(\.bits_per_token).min())
      #expect(best < 0.9 && best < records[0].bits_per_token!, "\(best)")
      let model = try LanguageModel(contentsOf: folder + "/run/model.safetensors")
      let text = try EncodedText(contentsOf: run.configuration.text, as: model.vocabulary)
      #expect(model.score(text).bitsPerToken < 1)
    }
  }

  @Test func wordsAreLearned() throws {
    try withTemporaryFolder { folder in
      var run = try TinyLanguageRun(folder, String(repeating: "The dog runs.\nA cat sleeps!\n", count: 40))
      run.configuration.unit = .words
      run.configuration.epochs = 30
      run.configuration.learningRate = 0.02
      try run.run()
      let model = try LanguageModel(contentsOf: folder + "/run/model.safetensors")
      #expect(model.vocabulary.count == 4 + 6 && model.description.embeddingSize == 12)
      var drawn: [String] = []
      let prime = try model.tokens(of: "The dog")
      model.sample(TextSampling(ClassSampling(topK: 1), length: 4), after: prime) {
        drawn.append(model.vocabulary.text(of: $0))
        return true
      }
      #expect(drawn == ["runs", "</s>", "a", "cat"])
    }
  }

  /// Stopped anywhere, at the end of an epoch too, and gone on with, a run ends bit for bit as one that was not.
  @Test(arguments: [1, 7, 18, 19, 40]) func resumingIsExact(stop: Int) throws {
    try withTemporaryFolder { folder in
      let run = try TinyLanguageRun(folder)
      try run.run("whole")
      #expect(throws: TrainingError.interrupted(path: folder + "/run")) { try run.run(stop: stop) }
      try run.run(resume: true)
      for name in ["model.safetensors", "log.jsonl", "config.json"] {
        #expect(try run.file(name) == run.file(name, "whole"), "\(name)")
      }
      // Nothing is left to do; and nothing is overwritten.
      try run.run(resume: true)
      #expect(try run.file("model.safetensors") == run.file("model.safetensors", "whole"))
      #expect(throws: TrainingError.alreadyThere(path: folder + "/run")) { try run.run() }
    }
  }

  /// More epochs and another rate may follow; another network or text may not.
  @Test func whatMayChange() throws {
    try withTemporaryFolder { folder in
      var run = try TinyLanguageRun(folder)
      try run.run()
      run.configuration.epochs = 4
      run.configuration.learningRate = 0.005
      let events = try run.run(resume: true)
      #expect(events.contains { if case .validated(let record) = $0 { record.epoch == 4 } else { false } })
      run.configuration.hiddenSize = 13
      #expect {
        try run.run(resume: true)
      } throws: {
        "\($0)".contains("hidden_size: 12 then, 13 now")
      }
      run.configuration.hiddenSize = 12
      _ = try textFile(folder, Array("abcab cabcab\n".utf8) + Array("aaa bbb ccc\n".utf8))
      #expect {
        try run.run(resume: true)
      } throws: {
        "\($0)".contains("another text")
      }
    }
  }

  @Test func textsThatAreTooShortAreRefused() throws {
    try withTemporaryFolder { folder in
      #expect {
        try TinyLanguageRun(folder, "a").run()
      } throws: {
        "\($0)" == "\(folder)/text.txt: the text: expected 2 characters to learn at least, found 1"
      }
      // Two are enough, with nothing to validate on.
      var two = try TinyLanguageRun(folder, "ab")
      two.configuration.validationShare = 0
      try two.run()
      #expect(try LanguageModel(contentsOf: folder + "/run/model.safetensors").vocabulary.count == 3)
    }
  }

  @Test func optionsOutOfRangeAreNamed() {
    func problem(_ change: (inout LanguageModelConfiguration) -> Void) -> String? {
      var configuration = LanguageModelConfiguration()
      change(&configuration)
      return configuration.problem
    }
    #expect(problem { _ in } == nil)
    #expect(
      problem { $0.validationShare = 1 }
        == "--validation-share: expected at least 0 and less than 1, found 1.0")
    #expect(problem { $0.hiddenSize = 0 } == "--hidden-size: expected 1 to 16384, found 0")
    #expect(problem { $0.clipValues = -1 } == "--clip-values: expected 0 or more, found -1.0")
    #expect(problem { $0.learningRate = .nan }?.hasPrefix("--learning-rate: ") == true)
    #expect(problem { $0.optimizer = .adagrad(initial: -1) }?.hasPrefix("--optimizer: initial: ") == true)
    let mut = CellName(rawValue: "mut1")!
    #expect(problem { $0.cell = mut } == nil)
    #expect(
      problem {
        $0.cell = mut
        $0.embeddingSize = 0
      }?.hasPrefix("--embedding-size: expected 128, as --hidden-size, for cell mut1") == true)
  }

  /// All numbers of a rule survive `config.json`.
  @Test func configurationsSurviveTheirFile() throws {
    try withTemporaryFolder { folder in
      var run = try TinyLanguageRun(folder)
      run.configuration.optimizer = .adagrad(epsilon: 1e-7, initial: 0.1)
      run.configuration.seed = .max
      run.configuration.embeddingSize = 0
      try run.run()
      #expect(try LanguageModelRun.configuration(in: folder + "/run") == run.configuration)
      #expect(try LanguageModelRun.configuration(in: folder) == nil)
      try run.run(resume: true)
    }
  }
}
