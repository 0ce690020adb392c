internal import Kernels
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
  private let network: CaptionNetwork

  /// Loads a model file.
  /// - Throws: `ModelError` naming what is missing, of another shape, or not finite.
  public init(modelAt path: String, residency: ConvolutionStack.Residency) throws(ModelError) {
    self.path = path
    ThreadPool.shared.run(0) { _ in }  // starts it, and its threads get ready meanwhile
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch { throw .weights(error) }
    description = try ModelDescription(of: file)
    network = try ModelFile.network(file, description)
    encoder = try VGGEncoder(
      description.encoder, preprocessing: description.preprocessing, weights: file,
      prefix: ModelFile.encoderPrefix, residency: residency)
  }

  /// What the head reads, [N, pooledSize], of images [N, H, W, 3] as the preprocessing makes them.
  /// - Throws: `ModelError.notFinite`.
  public func pooled(_ images: Tensor) throws(ModelError) -> Tensor { try encoder.checkedPooled(images) }

  /// The captions of each image [N], best first.
  /// - Parameter pooled: [N, pooledSize].
  public func captions(_ pooled: Tensor, _ options: BeamSearch.Options = .init()) -> [[Caption]] {
    BeamSearch(network.decoder, options).search(v: network.head.forward(pooled)).map { $0.map(caption) }
  }

  /// Captions drawn at random for each image [N], the likeliest first.
  /// - Parameters:
  ///   - pooled: [N, pooledSize].
  ///   - streams: what names each image's random numbers beside the seed.
  public func sample(_ pooled: Tensor, _ options: Sampling.Options, streams: [UInt64]) -> [[Caption]] {
    Sampling(network.decoder, options).sample(v: network.head.forward(pooled), streams: streams)
      .map { $0.map(caption) }
  }

  /// A given caption's log-probability, word by word, the end token included.
  /// - Parameters:
  ///   - tokens: the caption's words; those that the model does not know count as `<unk>`.
  ///   - pooled: one image's, [1, pooledSize].
  public func score(_ tokens: [String], _ pooled: Tensor) -> Caption {
    caption(
      BeamSearch(network.decoder).score(
        description.vocabulary.encode(tokens), v: network.head.forward(pooled)))
  }

  /// ln p of every word and the end of many captions, [captions][words + 1].
  /// - Parameters:
  ///   - captions: word ids without start and end.
  ///   - rows: the row of `pooled` that each caption is about.
  public func logProbs(of captions: [[Int32]], rows: [Int], pooled: Tensor) -> [[Float]] {
    let v = network.head.forward(pooled)
    let packed = PackedCaptions.packing(
      captions, imageRows: rows.map { Int32($0) }, start: Vocabulary.start, end: Vocabulary.end)
    var trace = CaptionDecoder.Trace()
    let flat = network.decoder.forward(packed.captions, v: v, into: &trace)
    var result = [[Float]](repeating: [], count: captions.count)
    var position = 0
    for live in packed.captions.batchSizes {
      for index in 0..<live { result[packed.order[index]].append(flat[position + index]) }
      position += live
    }
    return result
  }

  private func caption(_ hypothesis: Hypothesis) -> Caption {
    Caption(
      words: zip(hypothesis.words, hypothesis.logProbs).map {
        Caption.ScoredWord(word: description.vocabulary.word(for: $0), logProb: $1)
      })
  }
}
