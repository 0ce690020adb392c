internal import Models
internal import Datasets
internal import Foundation
internal import Layers
internal import Tensors

/// The numbers that a run's time and memory follow from.
struct RunSizes {
  /// Scalars of head and decoder.
  let parameters: Int
  /// Multiplications of the decoder for a word, and of head and W_ih for an image.
  let perWord, perImage: Double
  /// Of an epoch: captions or images, as batches are made of; images that go through the head; those of them that a teacher
  /// has seen; words to learn.
  let units, rows, scoredRows, words: Double
  /// Multiplications for the class scores of a photo that a teacher has seen; those of an epoch's photos beside captions, for
  /// what is learned of them; words of a batch of text.
  let perScored, besideOperations, textWords: Double
  /// Words of all validation captions.
  let validationWords: Double
  /// Words of a caption that the model makes, roughly.
  let spokenWords = 12.0
  /// Memory of a step's activations, and of the captions and names of images.
  let activationBytes, datasetBytes: Int

  /// - Parameters:
  ///   - architecture: the encoder with the run's head.
  ///   - regions: of an image, where the decoder attends to them.
  init(
    _ configuration: TrainingConfiguration, _ check: DataCheck, _ architecture: VGGArchitecture,
    _ sources: RunSources, regions: Int
  ) throws(TrainingError) {
    let (v, e, h) = (check.vocabularySize, configuration.embeddingSize, configuration.hiddenSize)
    let (d, layers) = (architecture.featureSize, configuration.layers)
    var decoder = configuration.decoder(about: architecture)
    decoder.vocabularySize = v
    decoder.imageFeatureSize = d
    let specifications = try Self.specifications(architecture, decoder)
    let width = specifications.first { $0.path == SideTasks.projection }?.shape[1] ?? h
    let named = configuration.labelWeight > 0 ? d * width : 0
    let scored = d * (sources.scores?.classes ?? 0)
    parameters = specifications.reduce(named + scored) { $0 + $1.shape.count }
    // A matrix multiplies once a word or once an image; the embedding is only looked up.
    let matrices = specifications.filter { $0.shape.rank == 2 && !$0.path.contains(".embedding.") }
    let ofImages = matrices.filter {
      $0.path.hasPrefix(ModelFile.encoderPrefix) || $0.path.contains(".image_to_")
        || $0.path.contains(".mean_to_hidden.")
    }
    let ofRegions = matrices.filter {
      $0.path.contains(".attention.regions.") || $0.path.contains(".attention.keys.")
    }
    func scalars(_ matrices: [ParameterSpecification]) -> Double {
      Double(matrices.reduce(0) { $0 + $1.shape.count })
    }
    perImage = scalars(ofImages) + scalars(ofRegions) * Double(regions)
    // Each word compares a key and sums a value of every region.
    let looks = decoder.attention.map { Double(regions * ($0.valueSize + 10 * $0.keySize)) } ?? 0
    perWord = scalars(matrices) - scalars(ofImages) - scalars(ofRegions) + looks

    let all = Double(check.train.captions)
    var (captions, words) = (0.0, 0.0)
    let limit = configuration.lengthLimit
    for (length, count) in check.train.words.captionsByLength.enumerated() {
      let kept = limit.map { $0(0..<length)?.count } ?? length
      guard let kept else { continue }
      captions += Double(count)
      words += Double(count * (kept + 1))
    }
    let images = Double(check.train.images)
    let chosen =
      configuration.consensus > 0 && all > 0 ? min(1, images * Double(configuration.consensus) / all) : 1
    // Text and captions made of labels come beside; the latter may fade out, which is not looked at.
    let taught = 1 - configuration.textShare - configuration.labelCaptions
    self.words = words * chosen / taught
    units = configuration.batchUnit == .captions ? captions * chosen : images
    let steps = (units / Double(configuration.batchSize)).rounded(.up)
    let classified = configuration.labelWeight > 0 ? Double(configuration.labelBatch) : 0
    let told = units * configuration.labelCaptions / taught / max(steps, 1)
    let heard = configuration.teacherScoresWeight > 0 ? Double(configuration.teacherBatch) : 0
    rows = units + steps * (max(classified, told) + heard)
    scoredRows = steps * heard
    perScored = Double(scored)
    let perNamed = Double(named + sources.labelNames.count * width)
    besideOperations = steps * (classified * perNamed + heard * perScored)
    let sentences = Double(sources.text?.count ?? 0)
    let spoken = Double(sources.text?.counts.values.reduce(0, +) ?? 0)
    textWords = Double(configuration.batchSize) * (spoken / max(1, sentences) + 1)
    validationWords = Double(check.validation.words.tokens + check.validation.captions)

    let each = configuration.batchUnit == .captions ? 1 : max(1, all * chosen / max(images, 1))
    let together =
      Double(configuration.batchSize) * (each / taught + Double(configuration.selfCriticalSamples))
    let positions = together * (words / max(captions, 1))
    var attended = 0
    if let attention = decoder.attention {
      // Regions, values and keys with their gradients; weights, sums and queries of all positions with theirs.
      let perRegion = 2 * (attention.valueSize + attention.keySize + attention.channels)
      let perPosition = 3 * attention.valueSize + 2 * attention.keySize + h + regions
      attended = 4 * (configuration.batchSize * regions * perRegion + Int(positions) * perPosition)
    }
    // The reconstruction of v at every position, and what either layer passes on.
    let remembered = decoder.memorySize.map { 4 * Int(positions) * (d + 14 * $0 + 2 * h) } ?? 0
    // Embedding, gates, cell and hidden states and their gradients; v and its gradients; the beam's logits.
    let recurrent = Int(positions) * 4 * (2 * e + layers * 12 * h) + configuration.batchSize * d * 24
    activationBytes = recurrent + attended + remembered + 50 * configuration.validationBeamWidth * v * 8
    let views = configuration.cachedViews.count
    datasetBytes =
      (check.train.images * (views + 1) + check.validation.images) * 400
      + (check.train.captions + check.validation.captions) * 64
      + (check.train.words.tokens + check.validation.words.tokens) * 8
      + Int(sentences) * 24 + Int(spoken) * 8
      + sources.lists.reduce(0) { $0 + $1.files.count } * (views + 1) * 400
  }

  /// What a head and a decoder ask of the source of their parameters.
  static func specifications(
    _ architecture: VGGArchitecture, _ decoder: DecoderDescription
  ) throws(TrainingError) -> [ParameterSpecification] {
    var result: [ParameterSpecification] = []
    func recorded(_ specification: ParameterSpecification) throws(TrainingError) -> Tensor {
      result.append(specification)
      guard specification.shape.count * 4 <= ProcessInfo.processInfo.physicalMemory else {
        throw .configuration(
          "\(specification.path): expected sizes that fit into memory, found \(specification.shape)")
      }
      // Memory that nothing touches is not taken.
      return Tensor(uninitialized: specification.shape)
    }
    _ = try FeatureNormalization(architecture, from: recorded)
    _ = try FeatureHead(architecture, from: recorded)
    _ = try makeDecoder(decoder, from: recorded)
    return result
  }
}
