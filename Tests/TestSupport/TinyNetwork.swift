internal import Support
public import Tensors

/// A network that is written, trained and run within milliseconds: two convolutions of 4 channels on 32×32 pixels, a
/// compact FC head of 16, an LSTM of 8, twelve words. Files are made by their format's names alone, so that the tests
/// of the readers do not lean on the writers.
public enum TinyNetwork {
  /// The convolutions.
  public static let table = "4,pool,4,pool"
  /// The width of the pooled map: 4 channels of 2×2.
  public static let pooledSize = 16
  /// The words of the model.
  public static let words = [
    "<pad>", "<s>", "</s>", "<unk>", "a", "dog", "cat", "runs", "sits", "in", "the", "snow",
  ]

  /// What the metadata of the model says.
  public static var metadata: [String: String] {
    [
      "format": "captioner", "format_version": "1", "tokenizer": "ptb-caption",
      "architecture": #"{"convolutions": "\#(table)", "head": "compact", "feature_size": 16, "#
        + #""embedding_size": 6, "hidden_size": 8, "injection": "everyStep"}"#,
      "preprocessing": #"{"width": 32, "height": 32, "resize": "stretch", "channelOrder": "rgb", "#
        + #""scale": "0..1", "mean": [0.5, 0.5, 0.5], "standardDeviation": [0.25, 0.25, 0.25]}"#,
      "vocabulary": "[\(words.map { "\"\($0)\"" }.joined(separator: ", "))]",
      "training": #"{"note": "random"}"#,
    ]
  }

  /// The convolutions' tensors, drawn from `seed`.
  public static func convolutions(prefix: String = "", seed: UInt64 = 1) -> [String: Tensor] {
    var random = Random(seed: seed)
    return [
      prefix + "features.0.weight": Tensor(uniform: [4, 3, 3, 3], limit: 0.5, using: &random),
      prefix + "features.0.bias": Tensor(uniform: [4], limit: 0.1, using: &random),
      prefix + "features.3.weight": Tensor(uniform: [4, 4, 3, 3], limit: 0.4, using: &random),
      prefix + "features.3.bias": Tensor(uniform: [4], limit: 0.1, using: &random),
    ]
  }

  /// The convolutions' tensors with batch normalisation, by torchvision's numbers.
  public static func normalizedConvolutions(prefix: String = "", seed: UInt64 = 1) -> [String: Tensor] {
    var random = Random(seed: seed, stream: 2)
    let plain = convolutions(seed: seed)
    var tensors: [String: Tensor] = [:]
    for (from, to) in [(0, 0), (3, 4)] {
      tensors["\(prefix)features.\(to).weight"] = plain["features.\(from).weight"]
      tensors["\(prefix)features.\(to).bias"] = plain["features.\(from).bias"]
      for (kind, base) in [("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)] {
        let drawn = Tensor(uniform: [4], limit: 0.4, using: &random).scalars
        tensors["\(prefix)features.\(to + 1).\(kind)"] = Tensor(drawn.map { $0 + Float(base) }, [4])
      }
    }
    return tensors
  }

  /// The model's tensors, drawn from `seed`; large enough that captions differ between images.
  public static func tensors(seed: UInt64 = 1) -> [String: Tensor] {
    var tensors = convolutions(prefix: "encoder.", seed: seed)
    let shapes: [(String, Shape)] = [
      ("encoder.classifier.0.weight", [16, 16]), ("encoder.classifier.0.bias", [16]),
      ("decoder.embedding.weight", [12, 6]), ("decoder.lstm.weight_xh", [32, 6]),
      ("decoder.lstm.weight_hh", [32, 8]), ("decoder.lstm.bias", [32]),
      ("decoder.image_to_hidden.weight", [32, 16]), ("decoder.output.weight", [12, 8]),
      ("decoder.output.bias", [12]),
    ]
    var random = Random(seed: seed, stream: 1)
    for (name, shape) in shapes { tensors[name] = Tensor(uniform: shape, limit: 1.2, using: &random) }
    return tensors
  }

  /// Writes convolutions such as `captioner train --encoder` takes; the metadata of a model with 32×32 input is not
  /// theirs: they see 224×224.
  /// - Parameter normalized: with batch normalisation.
  public static func writeConvolutions(to path: String, seed: UInt64 = 1, normalized: Bool = false) throws {
    let tensors = normalized ? normalizedConvolutions(seed: seed) : convolutions(seed: seed)
    try write(tensors, metadata: [:], to: path)
  }

  /// Writes the model.
  public static func writeModel(
    to path: String, metadata: [String: String] = metadata, tensors: [String: Tensor] = tensors(),
    type: StoredType = .float32
  ) throws {
    try write(tensors, metadata: metadata, type: type, to: path)
  }

  private static func write(
    _ tensors: [String: Tensor], metadata: [String: String], type: StoredType = .float32, to path: String
  ) throws {
    let items = tensors.sorted { $0.key < $1.key }.map {
      SafetensorsWriter.Item(name: $0.key, tensor: $0.value, type: type)
    }
    try SafetensorsWriter.write(items, metadata: metadata, to: path)
  }
}
