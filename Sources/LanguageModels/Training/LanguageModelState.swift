internal import Foundation
internal import Models
internal import Support
internal import Tensors

/// Where a run stands, beside its tensors.
struct LanguageModelState: Codable, Equatable {
  /// The epoch under way, from 1, and the chunks of it that are done.
  var epoch = 1
  var chunk = 0
  /// Steps taken in all epochs.
  var step = 0
  /// Σ −ln p and number of the tokens learned since the last validation.
  var lossSum = 0.0
  var tokens = 0
  /// The moving average of the loss.
  var smoothLoss: Double
  /// The best validation loss so far; nil: none yet.
  var best: Double?
  /// Seconds spent, in all sittings.
  var seconds = 0.0
  /// Bytes of log.jsonl that belong to what is done.
  var logLength = 0
  /// What fixes the meaning of the weights' rows.
  var vocabulary: TextVocabulary
  /// Names the texts.
  var data: String
  var configuration: LanguageModelConfiguration

  /// What its metadata call a checkpoint.
  static let format = "captioner language model checkpoint"

  /// The metadata of a checkpoint.
  func metadata() throws -> [String: String] {
    ["format": Self.format, "format_version": "1", "state": try canonicalJSON(self, .snakeCase)]
  }

  /// Reads the metadata of a checkpoint.
  init(of file: SafetensorsFile) throws(ModelError) {
    guard file.metadata["format"] == Self.format, file.metadata["format_version"] == "1",
      let text = file.metadata["state"]
    else {
      throw .unsupported(
        path: file.path, expected: "a checkpoint of a language model, version 1",
        found: file.metadata["format"] ?? "none")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let state = try? decoder.decode(Self.self, from: Data(text.utf8)), state.isPossible else {
      throw .unsupported(
        path: file.path, expected: "the state of a run (metadata key state)", found: String(text.prefix(80)))
    }
    self = state
  }

  init(_ configuration: LanguageModelConfiguration, vocabulary: TextVocabulary, data: String) {
    smoothLoss = log(Double(max(1, vocabulary.count)))
    self.vocabulary = vocabulary
    self.data = data
    self.configuration = configuration
  }

  /// Whether a run can have got there.
  private var isPossible: Bool {
    [epoch - 1, chunk, step, tokens, logLength].allSatisfy((0..<1 << 48).contains) && seconds >= 0
      && smoothLoss.isFinite && lossSum.isFinite
  }

  /// What tells this run from the one that `begun` is a state of, for people; empty: it may go on.
  func differences(from begun: LanguageModelState) throws -> [String] {
    var differences = try configuration.differences(from: begun.configuration)
    if begun.vocabulary != vocabulary {
      differences.append("the text gives another vocabulary")
    } else if begun.data != data {
      differences.append("another text")
    }
    return differences
  }
}
