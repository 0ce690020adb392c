internal import Captioning
internal import Decoding
internal import Foundation
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
    /// The image's file, and the caption.
    public let image, caption: String
    /// Its log-probability, a natural logarithm.
    public let log_prob: Double
  }

  private let split: EncodedSplit
  private let vocabulary: Vocabulary

  init(_ split: EncodedSplit, vocabulary: Vocabulary) { (self.split, self.vocabulary) = (split, vocabulary) }

  /// Scores a network and lets it speak, `beamWidth` wide.
  func scores(of network: TrainedNetwork, beamWidth: Int) -> (scores: Scores, samples: [Spoken]) {
    let v = features(of: network)
    let decoder = network.captions.decoder
    let cache = DecodingCache()
    let spoken = chunks.flatMap { chunk in
      decoder.decode(
        ImageFeatures(v: rows(of: v, Array(chunk))), .beam(.init(beamWidth: beamWidth)),
        streams: chunk.map { UInt64($0) }, sharing: cache, on: .cpu
      ).map { $0[0] }
    }
    let texts = spoken.map { $0.words.dropLast().map { vocabulary.word(for: $0) } }
    let samples = zip(split.images, texts).map {
      Sample(candidate: $1, references: split.references($0.row))
    }
    let (loss, bleu) = (loss(of: decoder, v, cache), BLEU(samples).corpus)
    let scores = Scores(
      loss: loss, shuffled_loss: self.loss(of: decoder, v, cache, shuffled: true),
      perplexity: exp(loss), Bleu_1: bleu[0], Bleu_4: bleu[3], CIDEr: CIDEr(samples).corpus,
      distinct: distinctShare(texts))
    let kept = spoken.indices.prefix(Self.samples).map {
      Spoken(
        image: split.features.names[split.images[$0].row], caption: texts[$0].joined(separator: " "),
        log_prob: Double(spoken[$0].logProb))
    }
    return (scores, kept)
  }

  /// How many images' captions are kept with an epoch's scores.
  private static let samples = 8

  /// v of every image [N, D].
  private func features(of network: TrainedNetwork) -> Tensor {
    var network = network
    var result = Tensor(
      uninitialized: [split.images.count, network.captions.head.layers.last!.outputs])
    let memory = result.mutablePointer()
    for (number, chunk) in chunks.enumerated() {
      let pooled = network.pooled(
        split.features(chunk.map { split.images[$0].row }), transforming: number == 0)
      let v = network.captions.head.forward(pooled)
      withExtendedLifetime(v) {
        (memory + chunk.lowerBound * v.shape[1]).update(from: v.pointer, count: v.count)
      }
    }
    return result
  }

  /// Mean loss per word of the captions; `shuffled` exchanges every image for the one half the set away.
  private func loss(
    of decoder: any SequenceDecoder, _ v: Tensor, _ cache: DecodingCache, shuffled: Bool = false
  ) -> Double {
    let count = split.images.count
    var (sum, words) = (0.0, 0)
    for chunk in chunks {
      let seen = shuffled ? chunk.map { ($0 + max(1, count / 2)) % count } : Array(chunk)
      let told = chunk.enumerated().flatMap { row, place in
        split.images[place].captions.map { ($0, Int32(row)) }
      }
      let packed = PackedSequences.packing(
        told.map { Array(split.captions[$0.0]) }, imageRows: told.map(\.1), start: Vocabulary.start,
        end: Vocabulary.end)
      let logProbs = TeacherForcedScores(
        decoder, packed.sequences, about: ImageFeatures(v: rows(of: v, seen)), sharing: cache, on: .cpu
      ).logProbs
      sum -= logProbs.reduce(0) { $0 + Double($1) }
      words += logProbs.count
    }
    return sum / Double(words)
  }

  private func rows(of v: Tensor, _ rows: [Int]) -> Tensor {
    var result = Tensor(uninitialized: [rows.count, v.shape[1]])
    let memory = result.mutablePointer()
    withExtendedLifetime(v) {
      for (place, row) in rows.enumerated() {
        (memory + place * v.shape[1]).update(from: v.pointer + row * v.shape[1], count: v.shape[1])
      }
    }
    return result
  }

  /// Places in `split.images`, some at a time.
  private var chunks: [Range<Int>] {
    stride(from: 0, to: split.images.count, by: 50).map { $0..<min(split.images.count, $0 + 50) }
  }
}
