public import Captioning
public import Datasets
internal import Foundation
public import Language
internal import Metrics
public import Tensors

/// Captions a data set and scores captions and model against the references.
public struct Evaluator {
  /// The scores of a data set.
  public struct Scores: Sendable, Equatable {
    /// Images that were captioned.
    public let images: Int
    /// BLEU-1 to BLEU-4 of the captions, 0 to 1.
    public let bleu: [Double]
    /// Mean log-probability of the captions.
    public let meanLogProb: Double
    /// Nats per word of the references, unknown words and end tokens counted.
    public let loss: Double
    /// The same with every image exchanged for another: how much the model looks.
    public let shuffledLoss: Double
    /// Share of captions that differ from all others.
    public let distinct: Double
    /// e^loss.
    public var perplexity: Double { exp(loss) }
  }

  /// One image's outcome.
  public struct Row: Sendable {
    /// The image's id.
    public let imageID: Int
    /// The best caption.
    public let caption: Caption
    /// Log-probability of each reference.
    public let references: [Float]
  }

  private let captioner: Captioner

  /// An evaluator of a model.
  public init(_ captioner: Captioner) { self.captioner = captioner }

  /// Captions and scores the images whose pooled maps are given.
  /// - Parameters:
  ///   - images: the images with their references; at least one.
  ///   - pooled: their pooled maps [N, pooledSize].
  ///   - sampling: draws the captions, an image's id naming its random numbers, instead of searching for them.
  ///   - progress: called with the number of images done.
  public func evaluate(
    _ images: [CaptionedImage], pooled: Tensor, _ options: BeamSearch.Options,
    sampling: Sampling.Options? = nil, progress: (Int) -> Void
  ) -> (scores: Scores, rows: [Row]) {
    precondition(images.count == pooled.shape[0] && !images.isEmpty)
    let tokenizer = Tokenizer()
    let references = images.map { $0.captions.map(tokenizer.tokens) }
    var captions: [Caption] = []
    var logProbs: [[Float]] = []
    var (sum, shuffledSum, words) = (0.0, 0.0, 0)
    let size = 100
    for start in stride(from: 0, to: images.count, by: size) {
      let range = start..<min(images.count, start + size)
      let own = Self.rows(pooled, range.map { $0 })
      let streams = range.map { UInt64(bitPattern: Int64(images[$0].id)) }
      captions +=
        (sampling.map { captioner.sample(own, $0, streams: streams) }
        ?? captioner.captions(own, options)).map { $0[0] }
      let encoded = range.map { references[$0].map(captioner.description.vocabulary.encode) }
      let owner = encoded.enumerated().flatMap { index, captions in captions.map { _ in index } }
      func losses(_ rows: [Int]) -> [[Float]] {
        captioner.logProbs(of: encoded.flatMap(\.self), rows: owner, pooled: Self.rows(pooled, rows))
      }
      // Each image becomes another: half the set away.
      let others = range.map { ($0 + max(1, images.count / 2)) % images.count }
      let (scored, shuffled) = (losses(Array(range)), losses(others))
      sum -= scored.joined().reduce(0) { $0 + Double($1) }
      shuffledSum -= shuffled.joined().reduce(0) { $0 + Double($1) }
      words += scored.reduce(0) { $0 + $1.count }
      var next = scored.makeIterator()
      for captions in encoded {
        logProbs.append(captions.map { _ in (next.next() ?? []).reduce(0, +) })
      }
      progress(range.upperBound)
    }
    let texts = captions.map(\.text)
    let bleu = BLEU(
      zip(texts, references).map { text, references in
        Sample(candidate: text.split(separator: " ").map(String.init), references: references)
      })
    let scores = Scores(
      images: images.count, bleu: bleu.corpus,
      meanLogProb: captions.reduce(0) { $0 + Double($1.logProb) } / Double(captions.count),
      loss: words == 0 ? 0 : sum / Double(words), shuffledLoss: words == 0 ? 0 : shuffledSum / Double(words),
      distinct: Double(Set(texts).count) / Double(texts.count))
    let rows = images.indices.map {
      Row(imageID: images[$0].id, caption: captions[$0], references: logProbs[$0])
    }
    return (scores, rows)
  }

  private static func rows(_ matrix: Tensor, _ indices: [Int]) -> Tensor {
    let width = matrix.shape[1]
    var result = Tensor(uninitialized: [indices.count, width])
    let memory = result.mutablePointer()
    for (position, index) in indices.enumerated() {
      memory.advanced(by: position * width).update(from: matrix.pointer + index * width, count: width)
    }
    return result
  }
}
