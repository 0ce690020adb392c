internal import Captioning
internal import Evaluation
internal import Language
internal import Layers
internal import Metrics
internal import Tensors

/// What a model makes of captions it never learned from: their loss, and how its own captions compare with them.
public struct Validation {
  /// A caption of a validation image.
  public struct Spoken: Codable, Sendable, Equatable {
    /// The image's file, and the caption.
    public let image, caption: String
    /// Its log-probability, a natural logarithm.
    public let log_prob: Double
  }

  private let split: EncodedSplit
  private let vocabulary: Vocabulary

  init(_ split: EncodedSplit, vocabulary: Vocabulary) {
    self.split = split
    self.vocabulary = vocabulary
  }

  /// Scores a network and lets it speak, `beamWidth` wide.
  func scores(of network: TrainedNetwork, beamWidth: Int) -> (scores: Scores, samples: [Spoken]) {
    let model = ValidatedNetwork(
      decoder: network.captions.decoder, vocabulary: vocabulary, v: features(of: network))
    let images = split.images.enumerated().map { place, image in
      let name = split.features.names[image.row]
      let references = split.references(image.row)
      return EvaluatedImage(
        id: place, fileName: name, path: name, references: references.map { $0.joined(separator: " ") },
        tokens: references, encoded: image.captions.map { Array(split.captions[$0]) })
    }
    // The network's words are tokens already.
    let evaluator = Evaluator(model, images, together: .init(captioned: Self.together, scored: Self.together))
    {
      $0.words.dropLast().map(\.word)
    }
    let evaluation = evaluator.evaluate(.beam(.init(beamWidth: beamWidth)), bootstrap: nil)
    let samples = evaluation.rows.prefix(Self.samples).map {
      Spoken(
        image: $0.image.fileName, caption: $0.caption.text, log_prob: Double($0.caption.logProb))
    }
    return (evaluation.scores, samples)
  }

  /// How many images' captions are kept with an epoch's scores.
  private static let samples = 8
  /// How many images are taken at a time.
  private static let together = 50

  /// v of every image [N, D].
  private func features(of network: TrainedNetwork) -> Tensor {
    var network = network
    var result = Tensor(
      uninitialized: [split.images.count, network.captions.decoder.configuration.imageFeatureSize])
    let memory = result.mutablePointer()
    for start in stride(from: 0, to: split.images.count, by: Self.together) {
      let chunk = split.images[start..<min(split.images.count, start + Self.together)]
      let pooled = network.pooled(split.features(chunk.map(\.row)), transforming: start == 0)
      let v = network.captions.head.forward(pooled)
      withExtendedLifetime(v) {
        (memory + start * v.shape[1]).update(from: v.pointer, count: v.count)
      }
    }
    return result
  }
}

/// A network in training and what it sees of the validation images.
private struct ValidatedNetwork: EvaluatedModel {
  let decoder: CaptionDecoder
  let vocabulary: Vocabulary
  /// v of every image [N, D].
  let v: Tensor

  func captions(of images: [Int], _ strategy: DecodingStrategy, streams: [UInt64]) -> [[Caption]] {
    let v = v.copied(rows: images)
    let found =
      switch strategy {
      case .beam(let options): BeamSearch(decoder, options).search(v: v)
      case .sample(let options): Sampling(decoder, options).sample(v: v, streams: streams)
      }
    return found.map { hypotheses in
      hypotheses.map { hypothesis in
        Caption(
          words: zip(hypothesis.words, hypothesis.logProbs).map {
            Caption.ScoredWord(word: vocabulary.word(for: $0), logProb: $1)
          })
      }
    }
  }

  func logProbs(of captions: [[Int32]], rows: [Int], images: [Int]) -> [[Float]] {
    var trace = CaptionDecoder.Trace()
    let (packed, order) = PackedCaptions.packing(
      captions, imageRows: rows.map { Int32($0) }, start: Vocabulary.start, end: Vocabulary.end)
    let flat = decoder.forward(packed, v: v.copied(rows: images), into: &trace)
    // Position by position, the longest caption first: back to caption by caption.
    var result = [[Float]](repeating: [], count: captions.count)
    var position = 0
    for live in packed.batchSizes {
      for index in 0..<live { result[order[index]].append(flat[position + index]) }
      position += live
    }
    return result
  }
}
