import Decoding
import Foundation
import Imaging
import Kernels
import Language
import Layers
import CaptionMetrics
import Support

@testable import Models
@testable import Tensors

#if canImport(TestSupport)
  import TestSupport
#endif

extension ForeignReader {
  private static let headerWords = [
    "__metadata__", "\"dtype\":", "\"shape\":", "\"data_offsets\":", "F32", "F16", "BF16", "U8", "F64",
    "[0,4]", "null",
    "9223372036854775807", "-1", "1e99",
  ]

  /// A whole safetensors file, every tensor read.
  static let safetensors = ForeignReader(
    name: "safetensors", words: headerWords,
    seeds: {
      try [
        file([("a", "F32", 4, [2, 3]), ("b", "BF16", 2, [3]), ("c", "U8", 1, [2])], ["key": "value"]),
        file([("half", "F16", 2, [5]), ("none", "F32", 4, [0, 2])], [:]),
        [2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D],
        Array("version https://git-lfs.github.com/spec/v1\n".utf8),
      ]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      guard let file = outcome({ try SafetensorsFile(path: scratch.path) }).value else { return }
      for (name, entry) in file.entries {
        guard let stored = outcome({ try file.stored(name) }).value else { continue }
        let tensor = stored.read()
        guard tensor.shape == entry.shape, tensor.scalars.count == entry.shape.count else {
          throw Wrong("\(name): another shape")
        }
        _ = stored.withHalves { $0[0] }
        var scalars = [Float](repeating: 0, count: tensor.count)
        scalars.withUnsafeMutableBufferPointer {
          if let base = $0.baseAddress { stored.read(0..<$0.count, into: base) }
        }
      }
    })

  /// The weights of an encoder as other programs write them.
  static let encoder = ForeignReader(
    name: "encoder",
    words: headerWords + [
      "features.0.weight", "features.2.bias", "classifier.0.weight", "classifier.3.weight", "mean", "scale",
      "channel_order", "std", "0..255", "BGR",
    ],
    seeds: {
      try [
        file(
          [
            ("features.0.weight", "F32", 4, [2, 3, 3, 3]), ("features.0.bias", "F32", 4, [2]),
            ("features.3.weight", "F32", 4, [1, 2, 3, 3]), ("features.3.bias", "F32", 4, [1]),
            ("classifier.0.weight", "F32", 4, [2, 4]), ("classifier.0.bias", "F32", 4, [2]),
          ], ["mean": "103.939,116.779,123.68", "scale": "0..255", "channel_order": "BGR"]),
        file(
          [
            ("features.0.weight", "F32", 4, [2, 3, 3, 3]), ("features.0.bias", "F32", 4, [2]),
            ("features.1.weight", "F32", 4, [2]), ("features.1.bias", "F32", 4, [2]),
            ("features.1.running_mean", "F32", 4, [2]), ("features.1.running_var", "F32", 4, [2]),
            ("features.1.num_batches_tracked", "I64", 8, []),
          ], [:]),
      ]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      guard let source = outcome({ try EncoderSource(path: scratch.path, preprocessing: "auto") }).value
      else { return }
      _ = source.architecture.name
      _ = try? VGGEncoder(
        source.architecture, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
        caching: .streamed)
    })

  /// A model whose metadata, `key=value` with zero bytes between, are anybody's, and whose weights are what they ask for.
  static let model = ForeignReader(
    name: "model",
    words: [
      "architecture=", "preprocessing=", "vocabulary=", "training=", "confidence=", "tokenizer=",
      "\"convolutions\":",
      "\"head\":", "\"feature_size\":", "\"embedding_size\":", "\"hidden_size\":", "\"cell\":", "\"gru\"",
      "\"layers\":", "\"activation\":", "maxout", "prelu", "\"feature_normalization\":", "whiten",
      "\"whitening_components\":", "\"batch_normalization\":",
      "\"injection\":", "everyStep", "firstStep", "compact2", "full", "pool", "\"shortSide\":",
      "shortSideThenCenterCrop",
      "\"bgr\"", "0..255", "<pad>", "<unk>", "-1", "1e300", "9223372036854775807", "\\u0000", "\\ud800",
      "4096",
    ],
    seeds: {
      func seed(_ metadata: [String: String]) -> [UInt8] {
        Array(
          metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\0").utf8)
      }
      let all = TinyNetwork.metadata
      func changed(_ key: String, _ old: String, _ new: String) -> [UInt8] {
        seed([key: all[key]?.replacingOccurrences(of: old, with: new) ?? ""])
      }
      return [
        seed(all), changed("architecture", "everyStep", "firstStep"),
        changed("architecture", "\"hidden", "\"cell\": \"gru\", \"layers\": 2, \"hidden"),
        changed("architecture", "compact", "compact2"),
        changed(
          "architecture", "\"hidden", "\"activation\": \"prelu\", \"batch_normalization\": true, \"hidden"),
        changed(
          "architecture", "\"hidden",
          "\"activation\": \"maxout\", \"feature_normalization\": \"whiten\", \"whitening_components\": 3, \"hidden"
        ),
        changed("preprocessing", "\"stretch\"", "\"shortSideThenCenterCrop\", \"shortSide\": 40"),
        seed([
          "confidence": #"{"intercept":1,"per_nat":2,"per_word":-0.1,"metric":"CIDEr","threshold":0.5,"#
            + #""images":9,"good":3,"calibration_error":0.1}"#
        ]),
      ]
    },
    read: { bytes, scratch in
      var metadata = TinyNetwork.metadata
      for piece in bytes.split(separator: 0) {
        let parts = piece.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { continue }
        metadata[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[1], as: UTF8.self)
      }
      try scratch.hold(file([], metadata))
      let told = outcome { try ModelDescription(of: SafetensorsFile(path: scratch.path)) }
      guard let description = told.value, let tensors = outcome({ try tensors(of: description) }).value else {
        return
      }
      try scratch.hold(file(tensors, try description.metadata()))
      guard try ModelDescription(of: SafetensorsFile(path: scratch.path)) == description else {
        throw Wrong("written again, the description is another")
      }
      // Too small a picture for its pools is all that may be wrong now.
      let loaded = outcome { try CaptionModel(contentsOf: scratch.path, caching: .streamed) }
      guard let model = loaded.value else {
        guard loaded.error.contains("halvings") else { throw Wrong(loaded.error) }
        return
      }
      let input = description.preprocessing
      let widest = description.encoder.convolutions.map(\.outputChannels).max() ?? 1
      guard input.width * input.height * max(8, widest) <= 1 << 17 else { return }
      let picture = RGBImage(width: 7, height: 5, pixels: (0..<105).map { UInt8($0) })
      let image = input.apply(picture).reshaped([1, input.height, input.width, 3])
      guard let maps = outcome({ try model.maps(image) }).value else { return }
      for caption in model.captions(maps, .beam(BeamOptions(beamWidth: 2, maximumLength: 3)))[0] {
        guard caption.confidence.map({ (0...1).contains($0) }) ?? true else { throw Wrong("confidence") }
        _ = model.score(Tokenizer().tokens(caption.text), maps, runnersUp: 1)
      }
    })

  /// The tensors that a model of a description has, if they are few.
  private static func tensors(
    of description: ModelDescription
  ) throws -> [(name: String, typeName: String, scalarSize: Int, shape: Shape)] {
    var tensors: [(name: String, typeName: String, scalarSize: Int, shape: Shape)] = []
    var count = 0
    func add(_ name: String, _ shape: Shape) throws {
      count += shape.count
      guard count <= 1 << 14, tensors.count < 64 else { throw Wrong("too many weights to try") }
      tensors.append((name, "F32", 4, shape))
    }
    for layer in description.encoder.convolutions {
      for (name, shape) in description.encoder.tensors(of: layer) {
        try add(ModelFile.encoderPrefix + name, shape)
      }
    }
    _ = try CaptionNetwork(description) { (parameter) throws in
      try add(parameter.path, parameter.shape)
      return Tensor(zeros: parameter.shape)
    }
    return tensors
  }

  /// A safetensors file of small numbers.
  static func file(
    _ tensors: [(name: String, typeName: String, scalarSize: Int, shape: Shape)], _ metadata: [String: String]
  ) throws -> [UInt8] {
    let header = try SafetensorsHeader(packed: tensors, metadata: metadata)
    var bytes = header.bytes
    bytes.reserveCapacity(header.fileSize)
    // 0.25, 0.5, 0.25, … in single precision, little numbers in any other.
    while bytes.count < header.fileSize {
      bytes += bytes.count % 8 < 4 ? [0, 0, 0x80, 0x3E] : [0, 0, 0, 0x3F]
    }
    return Array(bytes.prefix(header.fileSize))
  }
}
