import Captioning
import Datasets
import Training

/// The numbers that a run's time and memory follow from.
struct RunSizes {
  /// Scalars of head and decoder.
  let parameters: Int
  /// Multiplications of the decoder for a word, and of head and W_ih for an image.
  let perWord, perImage: Double
  /// Of an epoch: captions or images, as batches are made of; images that go through the head; words to learn.
  let units, rows, words: Double
  /// Words of all validation captions.
  let validationWords: Double
  /// Words of a caption that the model makes, roughly.
  let spokenWords = 12.0
  /// Memory of a step's activations, and of the captions and names of images.
  let activationBytes, datasetBytes: Int

  init(_ configuration: TrainingConfiguration, _ check: DataCheck, _ architecture: VGGArchitecture) {
    let (v, e, h) = (check.vocabularySize, configuration.embeddingSize, configuration.hiddenSize)
    let (d, layers) = (configuration.featureSize, configuration.layers)
    let head = architecture.pooledSize * d + (configuration.head.layers - 1) * d * d
    let recurrent = 4 * h * (e + h) + (layers - 1) * 4 * h * 2 * h
    perWord = Double(recurrent + h * v)
    perImage = Double(head + 4 * h * d)
    parameters =
      head + configuration.head.layers * d + recurrent + layers * 4 * h + 4 * h * d + e * v + (h + 1) * v

    let all = Double(check.train.captions)
    var (captions, words) = (0.0, 0.0)
    for (length, count) in check.train.words.captionsByLength.enumerated() {
      let kept = configuration.lengthLimit.map { $0(0..<length)?.count } ?? length
      guard let kept else { continue }
      (captions, words) = (captions + Double(count), words + Double(count * (kept + 1)))
    }
    let images = Double(check.train.images)
    let chosen =
      configuration.consensus > 0 && all > 0 ? min(1, images * Double(configuration.consensus) / all) : 1
    (self.words, units) = (words * chosen, configuration.batchUnit == .captions ? captions * chosen : images)
    rows = units
    validationWords = Double(check.validation.words.tokens + check.validation.captions)

    let each = configuration.batchUnit == .captions ? 1 : max(1, all * chosen / max(images, 1))
    let sentences = Double(configuration.batchSize) * (each + Double(configuration.selfCriticalSamples))
    let positions = sentences * (words / max(captions, 1))
    // Embedding, gates, cell and hidden states and their gradients; v and its gradients; the beam's logits.
    activationBytes =
      Int(positions) * 4 * (2 * e + layers * 12 * h) + configuration.batchSize * d * 24
      + 50 * configuration.validationBeamWidth * v * 8
    datasetBytes =
      (check.train.images * (configuration.views + 1) + check.validation.images) * 400
      + (check.train.captions + check.validation.captions) * 64
      + (check.train.words.tokens + check.validation.words.tokens) * 8
  }
}
