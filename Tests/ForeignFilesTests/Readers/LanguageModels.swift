import Foundation
import Kernels
import Support
import Tensors

@testable import LanguageModels

/// Readers of what language models leave and learn.
extension ForeignReader {
  private static let languageWords = [
    "architecture=", "vocabulary=", "training=", "\"cell\":", "\"gru\"", "\"mut1\"", "\"layers\":",
    "\"residual\":", "\"hidden_size\":", "\"embedding_size\":", "\"characters\":", "\"words\":",
    "\"unknown\":",
    "true", "-1", "1e300", "9223372036854775807", "<pad>", "<unk>", "\\u0000", "\\ud800", "16384",
  ]

  private static let architecture =
    #"{"cell":"lstm","layers":1,"residual":false,"hidden_size":4,"embedding_size":0}"#
  private static let vocabulary = #"{"characters":["\n","a","é"],"unknown":true}"#

  /// A language model whose metadata, `key=value` with zero bytes between, are anybody's, and whose weights are what they
  /// ask for.
  static let languageModel = ForeignReader(
    name: "language-model", words: languageWords,
    seeds: {
      let words = #"{"words":["<pad>","<s>","</s>","<unk>","dog"]}"#
      return [
        "architecture=\(architecture)\0vocabulary=\(vocabulary)",
        "architecture=\(architecture.replacingOccurrences(of: "e\":0", with: "e\":3"))\0vocabulary=\(words)",
        "architecture="
          + architecture.replacingOccurrences(of: "\"lstm\",\"layers\":1", with: "\"gru\",\"layers\":2"),
        "training={\"step\":\"3\"}",
      ].map { Array($0.utf8) }
    },
    read: { bytes, scratch in
      var metadata = [
        "format": LanguageModelDescription.format, "format_version": "1", "architecture": architecture,
        "vocabulary": vocabulary, "training": "{}",
      ]
      for piece in bytes.split(separator: 0) {
        let parts = piece.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { continue }
        metadata[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[1], as: UTF8.self)
      }
      try scratch.hold(file([], metadata))
      let told = outcome { try LanguageModelDescription(of: SafetensorsFile(path: scratch.path)) }
      guard let description = told.value else { return }
      var tensors: [(name: String, typeName: String, scalarSize: Int, shape: Shape)] = []
      let made = outcome {
        try description.network { parameter throws in
          let count = tensors.reduce(parameter.shape.count) { $0 + $1.shape.count }
          guard count <= 1 << 14 else { throw Wrong("too many weights to try") }
          tensors.append((parameter.path, "F32", 4, parameter.shape))
          return Tensor(zeros: parameter.shape)
        }
      }
      guard made.value != nil else { return }
      try scratch.hold(file(tensors, try description.metadata()))
      let model = try LanguageModel(contentsOf: scratch.path)
      guard model.description == description else { throw Wrong("written again, the description is another") }
      var drawn: [Int32] = []
      model.sample(TextSampling(length: 3), after: []) {
        drawn.append($0)
        return true
      }
      _ = drawn.map { model.vocabulary.text(of: $0) }
    })

  /// A text to be learned or scored.
  static let languageText = ForeignReader(
    name: "language-text", words: ["\n", "\u{FEFF}", "é", "🙂", "\0", "\u{301}"],
    seeds: {
      [Array("A dog runs.\né\n".utf8), [0xEF, 0xBB, 0xBF, 0x61], [0x61, 0xE2, 0x82], Array("🙂\0".utf8)]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let read = outcome { try CharacterText(contentsOf: [scratch.path]) }
      let isText = String(validating: bytes, as: UTF8.self) != nil
      guard let text = read.value else {
        let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard !isText || bytes.count == mark else { throw Wrong("UTF-8 was refused: \(read.error)") }
        return
      }
      guard isText else { throw Wrong("what is no UTF-8 was taken") }
      let vocabulary = TextVocabulary(of: text, minimumCount: 1, hasUnknown: false)
      let back = try vocabulary.encode(text.scalars).map { vocabulary.text(of: $0) }.joined()
      let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
      guard back.utf8.elementsEqual(bytes.dropFirst(mark)) else { throw Wrong("the text is another") }
      let words = outcome { try SourceText(contentsOf: [scratch.path], unit: .words) }
      guard let sentences = words.value else { return }
      _ = try EncodedText(
        sentences, as: sentences.vocabulary(minimumCount: 1, hasUnknown: true), named: "text")
    })

  /// A checkpoint's state of a language model's run.
  static let languageCheckpoint = ForeignReader(
    name: "language-checkpoint",
    words: languageWords + [
      "\"epoch\":", "\"chunk\":", "\"step\":", "\"configuration\":", "\"smooth_loss\":", "\"optimizer\":",
      "\"rule\":", "adagrad", "\"initial\":",
    ],
    seeds: {
      var configuration = LanguageModelConfiguration()
      configuration.optimizer = .adagrad(initial: 0.5)
      let text = CharacterText(Array("ab".unicodeScalars)[...])
      let vocabulary = TextVocabulary(of: text, minimumCount: 1, hasUnknown: true)
      let state = LanguageModelState(configuration, vocabulary: vocabulary, data: "d")
      return [Array(try canonicalJSON(state, .snakeCase).utf8)]
    },
    read: { bytes, scratch in
      let metadata = [
        "format": LanguageModelState.format, "format_version": "1",
        "state": String(decoding: bytes, as: UTF8.self),
      ]
      try scratch.hold(file([], metadata))
      let read = outcome { try LanguageModelState(of: SafetensorsFile(path: scratch.path)) }
      guard let state = read.value else { return }
      _ = state.configuration.problem
      _ = try state.differences(from: state)
    })
}
