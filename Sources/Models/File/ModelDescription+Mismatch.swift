internal import Imaging
internal import Support

extension ModelDescription {
  /// Makes sure that weights of a model file fit a network of this description.
  /// - Throws: `ModelError.unsupported` that names the first thing in which they do not.
  public func check(_ other: ModelDescription, at path: String) throws(ModelError) {
    guard let (expected, found) = mismatch(other) else { return }
    throw .unsupported(path: path, expected: expected, found: found)
  }

  /// What is expected and what is found where another description first differs; nil: nowhere that matters.
  private func mismatch(_ other: ModelDescription) -> (expected: String, found: String)? {
    let (words, others) = (vocabulary.words, other.vocabulary.words)
    if let place = zip(words, others).enumerated().first(where: { $1.0 != $1.1 }) {
      return (
        "the same vocabulary, in which word \(place.offset) is \(words[place.offset].debugDescription)",
        others[place.offset].debugDescription
      )
    }
    func text(_ size: Int?) -> String { size.map { "\($0)" } ?? "none" }
    let features: [(name: String, mine: String, theirs: String)] = [
      ("words", "\(words.count)", "\(others.count)"),
      ("embedding size", "\(decoder.embeddingSize)", "\(other.decoder.embeddingSize)"),
      ("hidden size", "\(decoder.hiddenSize)", "\(other.decoder.hiddenSize)"),
      ("cell", decoder.cell.rawValue, other.decoder.cell.rawValue),
      ("layers", "\(decoder.layers)", "\(other.decoder.layers)"),
      ("residual", "\(decoder.isResidual)", "\(other.decoder.isResidual)"),
      ("input", encoder.given?.text ?? "photos", other.encoder.given?.text ?? "photos"),
      ("feature size", "\(encoder.featureSize)", "\(other.encoder.featureSize)"),
      ("convolutions", encoder.table, other.encoder.table),
      ("batch normalisation", "\(encoder.batchNormalization)", "\(other.encoder.batchNormalization)"),
      ("head", encoder.head.rawValue, other.encoder.head.rawValue),
      ("activation", encoder.activation.rawValue, other.encoder.activation.rawValue),
      ("feature normalization", encoder.normalizationText, other.encoder.normalizationText),
      ("injection", decoder.injection.rawValue, other.decoder.injection.rawValue),
      ("conditioning", decoder.conditioning.rawValue, other.decoder.conditioning.rawValue),
      ("layer of the image", "\(decoder.contextLayer + 1)", "\(other.decoder.contextLayer + 1)"),
      ("initial states", "\(decoder.initialStates)", "\(other.decoder.initialStates)"),
      ("rectified first input", "\(decoder.rectifiesInput)", "\(other.decoder.rectifiesInput)"),
      ("attention", decoder.attention?.sizesText ?? "none", other.decoder.attention?.sizesText ?? "none"),
      ("multimodal layer", text(decoder.multimodalSize), text(other.decoder.multimodalSize)),
      ("visual memory", text(decoder.memorySize), text(other.decoder.memorySize)),
      ("preprocessing", preprocessing.json, other.preprocessing.json),
    ]
    return features.first { $0.mine != $0.theirs }.map { ("\($0.name) \($0.mine)", $0.theirs) }
  }
}

extension Preprocessing {
  /// As a model file keeps it.
  var json: String { (try? canonicalJSON(self)) ?? "" }
}

extension VGGArchitecture {
  /// How the head's input is normalised, for people: `whiten to 512`.
  public var normalizationText: String {
    normalization == .whiten ? "whiten to \(whiteningComponents)" : normalization.rawValue
  }
}
