public import Kernels
public import Language
internal import Layers
public import Tensors

/// A loaded model: photos in, captions with log-probabilities out. Not for use by two threads at once.
public final class Captioner {
  /// The model file.
  public let path: String
  /// All of the model but its weights.
  public let description: ModelDescription
  /// The convolutions.
  public let encoder: VGGEncoder
  let head: StoredFeatureHead
  let decoder: CaptionDecoder
  private let wordSums: WordSums

  /// Loads a model file.
  /// - Parameter arithmetic: what the convolutions multiply.
  /// - Throws: `ModelError` naming what is missing, of another shape, or not finite.
  public init(
    modelAt path: String, residency: ConvolutionStack.Residency, arithmetic: Arithmetic = .float32
  ) throws(ModelError) {
    self.path = path
    ThreadPool.shared.run(0) { _ in }  // starts it, and its threads get ready meanwhile
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch { throw .weights(error) }
    description = try ModelDescription(of: file)
    head = try StoredFeatureHead(
      description.encoder, weights: file, prefix: ModelFile.encoderPrefix)
    decoder = try ModelFile.decoder(file, description)
    wordSums = WordSums(decoder)
    encoder = try VGGEncoder(
      description.encoder, preprocessing: description.preprocessing, weights: file,
      prefix: ModelFile.encoderPrefix, residency: residency, arithmetic: arithmetic)
  }

  /// What the head reads, [N, pooledSize], of images [N, H, W, 3] as the preprocessing makes them.
  /// - Throws: `ModelError.notFinite`.
  public func pooled(_ images: Tensor) throws(ModelError) -> Tensor { try encoder.checkedPooled(images) }

  /// The captions of each image [N], best first.
  /// - Parameter pooled: [N, pooledSize].
  public func captions(_ pooled: Tensor, _ options: BeamSearch.Options = .init()) -> [[Caption]] {
    BeamSearch(decoder, options, wordSums: wordSums).search(v: head(pooled)).map { $0.map(caption) }
  }

  /// Captions drawn at random for each image [N], the likeliest first.
  /// - Parameters:
  ///   - pooled: [N, pooledSize].
  ///   - streams: what names each image's random numbers beside the seed.
  public func sample(_ pooled: Tensor, _ options: Sampling.Options, streams: [UInt64]) -> [[Caption]] {
    Sampling(decoder, options).sample(v: head(pooled), streams: streams)
      .map { $0.map(caption) }
  }

  private func caption(_ hypothesis: Hypothesis) -> Caption {
    judged(
      zip(hypothesis.words, hypothesis.logProbs).map {
        Caption.ScoredWord(word: description.vocabulary.word(for: $0), logProb: $1)
      })
  }

  /// A caption with the model's confidence in it, if the model was calibrated.
  func judged(_ words: [Caption.ScoredWord]) -> Caption {
    var caption = Caption(words: words)
    caption.confidence = description.confidence?(caption)
    return caption
  }
}
