internal import Captioning
internal import Foundation
internal import Kernels
internal import Language
internal import Layers
internal import Metrics
internal import Tensors

/// What a model makes of captions it never learned from: their loss, and how its own captions compare with them.
public struct Validation {
  /// The scores of an epoch.
  public struct Scores: Codable, Sendable, Equatable {
    /// Nats per word of the references, whole, `<unk>` and end tokens counted; the same with every image exchanged
    /// for another.
    public let loss, shuffled_loss: Double
    /// e^loss.
    public let perplexity: Double
    /// BLEU-1 and BLEU-4 (0…1) and CIDEr-D (0…10) of the beam's captions.
    public let Bleu_1, Bleu_4, CIDEr: Double
    /// Share of captions that differ from all others.
    public let distinct: Double

    /// Whether all images get much the same caption, whatever they show.
    public var hasCollapsed: Bool { distinct < 0.05 && shuffled_loss - loss < 0.05 }
  }

  /// A caption of a validation image.
  public struct Spoken: Codable, Sendable, Equatable {
    /// The image's file, the caption and its log-probability (natural logarithm).
    public let image, caption: String
    public let log_prob: Double
  }

  private let split: EncodedSplit
  private let vocabulary: Vocabulary
  private let scale: Float
  /// The captions of each image, by row, and the rows that have some.
  private let captions: [Int: [Int]]
  private let images: [Int]

  init(_ split: EncodedSplit, vocabulary: Vocabulary, scale: Float) {
    (self.split, self.vocabulary, self.scale) = (split, vocabulary, scale)
    captions = Dictionary(grouping: split.rows.indices) { split.rows[$0] }
    images = captions.keys.sorted()
  }

  /// Scores a network and lets it speak, `beamWidth` wide.
  func scores(of network: CaptionNetwork, beamWidth: Int) -> (scores: Scores, samples: [Spoken]) {
    let captions = captions(of: network, beamWidth: beamWidth)
    let texts = captions.map { $0.words.dropLast().map { vocabulary.word(for: $0) } }
    let samples = zip(images, texts).map {
      Sample(candidate: $1, references: split.references[$0] ?? [])
    }
    let (loss, bleu) = (loss(of: network), BLEU(samples).corpus)
    let scores = Scores(
      loss: loss, shuffled_loss: self.loss(of: network, shuffled: true), perplexity: exp(loss),
      Bleu_1: bleu[0], Bleu_4: bleu[3], CIDEr: CIDEr(samples).corpus, distinct: distinctShare(texts))
    let spoken = captions.indices.prefix(Self.samples).map {
      Spoken(
        image: split.features.names[images[$0]], caption: texts[$0].joined(separator: " "),
        log_prob: Double(captions[$0].logProb))
    }
    return (scores, spoken)
  }

  /// How many images' captions are kept with an epoch's scores.
  private static let samples = 8

  private func captions(of network: CaptionNetwork, beamWidth: Int) -> [Hypothesis] {
    let search = BeamSearch(network.decoder, .init(beamWidth: beamWidth))
    return chunks.flatMap { chunk in
      search.search(v: network.head.forward(split.pooled(chunk.map { images[$0] }, scale: scale))).map {
        $0[0]
      }
    }
  }

  /// Mean loss per word of the captions; `shuffled` exchanges every image for the one half the set away.
  func loss(of network: CaptionNetwork, shuffled: Bool = false) -> Double {
    var trace = CaptionDecoder.Trace()
    var (sum, words) = (0.0, 0)
    for chunk in chunks {
      let seen = shuffled ? chunk.map { ($0 + max(1, images.count / 2)) % images.count } : Array(chunk)
      let v = network.head.forward(split.pooled(seen.map { images[$0] }, scale: scale))
      let told = chunk.enumerated().flatMap { row, place in
        captions[images[place], default: []].map { ($0, Int32(row)) }
      }
      let packed = PackedCaptions.packing(
        told.map { split.captions[$0.0] }, imageRows: told.map(\.1), start: Vocabulary.start,
        end: Vocabulary.end)
      let logProbs = network.decoder.forward(packed.captions, v: v, into: &trace)
      sum -= logProbs.reduce(0) { $0 + Double($1) }
      words += logProbs.count
    }
    return sum / Double(words)
  }

  /// Places in `images`, some at a time.
  private var chunks: [Range<Int>] {
    stride(from: 0, to: images.count, by: 100).map { $0..<min(images.count, $0 + 100) }
  }
}
