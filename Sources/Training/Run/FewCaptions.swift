internal import Datasets
internal import Imaging
internal import Models
internal import Tensors

extension TrainingConfiguration {
  /// Captions from which on the defaults are made for as many as there are.
  private static let many = 10_000
  /// What `start` is where random weights are wanted though a model would do.
  static let noStart = "none"

  /// The options of a run on so many captions, where they were left open, and what was chosen, in words.
  /// - Parameter source: the run's encoder.
  /// - Throws: errors of the model that the run begins from.
  func prepared(
    for captions: Int, _ source: EncoderSource
  ) throws -> (configuration: TrainingConfiguration, notes: [String]) {
    let settings = TrainingSettings.declared
    var (result, note) = suited(to: captions)
    var notes = [note].compactMap(\.self)
    if captions > 0, captions < Self.many, !isSet(settings.minimumCount) {
      result.minimumCount = max(2, min(settings.minimumCount.standard, captions / 2000))
      notes.append("\(captions) captions are few: --min-count \(result.minimumCount), unless it is given")
    }
    if self.start == Self.noStart {
      result.start = ""
    } else if source.isModel, captions > 0, captions < Self.many, !isSet(settings.start),
      !isSet(settings.forgetBias)
    {
      result.start = source.file.path
      notes.append(
        "\(captions) captions are few: the run begins from the encoder's own model; --start none begins from "
          + "random weights")
    }
    if !result.start.isEmpty {
      try result.follow(ModelDescription(of: SafetensorsFile(path: result.start)))
    }
    return (result, notes)
  }

  /// Takes sizes and kinds that were left open from the model that the run begins from.
  private mutating func follow(_ model: ModelDescription) {
    // A head of photos is none of features.
    if self.features.isEmpty == (model.encoder.given == nil) { followHead(of: model) }
    take(\.embeddingSize, model.decoder.embeddingSize)
    take(\.hiddenSize, model.decoder.hiddenSize)
    take(\.cell, model.decoder.cell)
    take(\.layers, model.decoder.layers)
    take(\.injection, model.decoder.injection)
    take(\.residual, model.decoder.isResidual)
    take(\.conditioning, model.decoder.conditioning)
    take(\.imageLayer, model.decoder.contextLayer + 1)
    take(\.initialStates, model.decoder.initialStates)
    take(\.linearStates, model.decoder.linearStates)
    if let size = model.decoder.memorySize { take(\.memorySize, size) }
    if let size = model.decoder.multimodalSize { take(\.multimodalSize, size) }
    guard let attention = model.decoder.attention else { return }
    take(\.regionSize, attention.valueSize)
    take(\.attentionSize, attention.keySize)
    take(\.attentionGate, attention.gated)
    take(\.attentionGateEach, attention.gatesEach)
    take(\.attentionComparison, attention.comparison)
    // The grid shows in the table: a fine one is without its last pool.
    guard self.features.isEmpty, model.encoder.given == nil else { return }
    take(\.regionGrid, model.encoder.layers.last == .pool ? .coarse : .fine)
  }

  private mutating func followHead(of model: ModelDescription) {
    take(\.head, model.encoder.head)
    take(\.activation, model.encoder.activation)
    take(\.featureNormalization, model.encoder.normalization)
    if model.encoder.normalization == .whiten {
      take(\.whiteningComponents, model.encoder.whiteningComponents)
    }
    if model.encoder.head.layers > 0 { take(\.featureSize, model.encoder.featureSize) }
    if let name = model.encoder.given?.name { take(\.featuresName, name) }
  }

  /// Sets an option that was left open.
  private mutating func take<Value>(_ member: KeyPath<TrainingSettings, Setting<Value>>, _ value: Value) {
    let setting = TrainingSettings.declared[keyPath: member]
    if !isSet(setting) { self[setting] = value }
  }

  /// The options that suit so few captions, unless batch size, epochs or learning rate were chosen: with the usual ones
  /// there would be so few steps that a model learns little but to end.
  /// - Returns: the options, and what was changed, in words; nil: nothing.
  private func suited(to captions: Int) -> (configuration: TrainingConfiguration, note: String?) {
    let settings = TrainingSettings.declared
    let chosen = isSet(settings.batchSize) || isSet(settings.epochs) || isSet(settings.learningRate)
    guard captions > 0, captions < Self.many, !chosen else { return (self, nil) }
    var result = self
    result.batchSize = min(settings.batchSize.standard, max(8, captions / 100))
    result.epochs = 60
    if !isSet(settings.stopPatience) { result.stopPatience = 10 }
    if !isSet(settings.decayPatience) { result.decayPatience = 3 }
    if !isSet(settings.warmUp) { result.warmUp = min(100, captions / result.batchSize) }
    return (
      result,
      "\(captions) captions are few: --batch-size \(result.batchSize) --epochs \(result.epochs) "
        + "--warm-up \(result.warmUp) --stop-patience \(result.stopPatience) "
        + "--decay-patience \(result.decayPatience), unless batch size, epochs or learning rate are given"
    )
  }

  /// The options with the encoder that they mean: the model that the run begins from, where no other is named.
  public var withEncoder: TrainingConfiguration {
    var result = self
    if self.encoder.isEmpty, self.features.isEmpty, self.start != Self.noStart { result.encoder = self.start }
    return result
  }

  /// The encoder, open.
  /// - Parameter folder: the run's, whose model tells how pixels become input once there is one.
  /// - Throws: `SafetensorsError`, `ModelError`, `FeatureFileError`.
  func encoderSource(in folder: String) throws -> EncoderSource {
    guard self.features.isEmpty else {
      return try EncoderSource(FeatureFiles(paths: self.features), name: self.featuresName)
    }
    // Weights that do not say how they were trained are taken as the model that the run begins from has them.
    func ofStart() throws -> Preprocessing {
      guard !self.start.isEmpty, self.start != Self.noStart else { return .torchvision }
      if let own = try? ModelDescription(of: SafetensorsFile(path: folder + "/model.safetensors")) {
        return own.preprocessing
      }
      return try ModelDescription(of: SafetensorsFile(path: self.start)).preprocessing
    }
    return try EncoderSource(path: self.encoder, preprocessing: self.preprocessing, otherwise: ofStart())
  }
}
