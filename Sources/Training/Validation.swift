internal import Models
internal import Decoding
internal import Evaluation
internal import Kernels
internal import Language
internal import Layers
internal import CaptionMetrics
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
  private let meteor: METEORData?

  init(_ split: EncodedSplit, vocabulary: Vocabulary, meteor: METEORData? = nil) {
    self.meteor = meteor
    self.split = split
    self.vocabulary = vocabulary
  }

  /// Scores a network and lets it speak, `beamWidth` wide.
  /// - Returns: the scores, captions of the first images, and why METEOR is not among the scores, if it should be.
  func scores(of network: TrainedNetwork, beamWidth: Int, on device: Device) -> (
    scores: Scores, samples: [Spoken], problem: METEORDataError?
  ) {
    let model = ValidatedNetwork(
      decoder: network.captions.decoder, vocabulary: vocabulary, seen: features(of: network, device),
      device: device)
    let images = split.images.enumerated().map { place, image in
      let name = split.path(of: image.row)
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
    var evaluation = evaluator.evaluate(
      .beam(.init(beamWidth: beamWidth, minimumLength: 1)), bootstrap: nil)
    let samples = evaluation.rows.prefix(Self.samples).map {
      Spoken(
        image: $0.image.fileName, caption: $0.caption.text, log_prob: Double($0.caption.logProb))
    }
    var problem: METEORDataError?
    if let meteor {
      do throws(METEORDataError) {
        evaluation = try evaluation.addingMETEOR(meteor, bootstrap: nil)
      } catch { problem = error }
    }
    return (evaluation.scores, samples, problem)
  }

  /// How many images' captions are kept with an epoch's scores.
  private static let samples = 8
  /// How many images are taken at a time.
  private static let together = 50

  /// What the decoder is told of every image. Where it attends to regions that is large: 100 KB an image.
  private func features(of network: TrainedNetwork, _ device: Device) -> ImageFeatures {
    var network = network
    let images = split.images.count
    var v = Tensor(uninitialized: [images, network.description.encoder.featureSize])
    let memory = v.mutableMatrix()
    var regions: Tensor?
    for start in stride(from: 0, to: images, by: Self.together) {
      let chunk = split.images[start..<min(images, start + Self.together)]
      let seen = network.seen(split.features(chunk.map(\.row)), transforming: start == 0, on: device)
      let made = network.captions.head.forward(seen.pooled, on: device)
      withExtendedLifetime(made) { memory[start].update(from: made.pointer, count: made.count) }
      guard let found = seen.regions else { continue }
      if regions == nil {
        regions = Tensor(uninitialized: [images, found.shape[1], found.shape[2]])
      }
      withExtendedLifetime(found) {
        regions!.mutableMatrix()[start].update(from: found.pointer, count: found.count)
      }
    }
    return ImageFeatures(v: v, regions: regions)
  }
}

/// A network in training and what it sees of the validation images.
private struct ValidatedNetwork: EvaluatedModel {
  let decoder: any SequenceDecoder
  let vocabulary: Vocabulary
  /// What the decoder is told of every image.
  let seen: ImageFeatures
  let device: Device
  private let cache = DecodingCache()

  init(decoder: any SequenceDecoder, vocabulary: Vocabulary, seen: ImageFeatures, device: Device) {
    self.decoder = decoder
    self.vocabulary = vocabulary
    self.seen = seen
    self.device = device
  }

  func captions(of images: [Int], _ strategy: DecodingStrategy, streams: [UInt64]) -> [[Caption]] {
    decoder.decode(features(images), strategy, streams: streams, sharing: cache, on: device)
      .map { hypotheses in hypotheses.map { Caption($0, in: vocabulary) } }
  }

  func scores(of captions: [[Int32]], rows: [Int], images: [Int]) -> [Caption] {
    let (sequences, order) = PackedSequences.packing(
      captions, imageRows: rows.map { Int32($0) }, start: Vocabulary.start, end: Vocabulary.end)
    return TeacherForcedScores(decoder, sequences, about: features(images), sharing: cache, on: device)
      .captions(sequences, order, in: vocabulary)
  }

  private func features(_ images: [Int]) -> ImageFeatures {
    seen.rows(images)
  }
}
