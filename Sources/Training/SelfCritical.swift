internal import Models
internal import Decoding
internal import Kernels
internal import Language
internal import Layers
internal import CaptionMetrics
internal import Support
internal import Tensors

/// Self-critical sequence training (Rennie et al. 2017): captions drawn from the model are made likelier as far as
/// their CIDEr-D exceeds that of the other captions drawn for the same image (the mean of the others is the baseline:
/// Luo 2020), and less likely as far as it falls short.
///
///     δ = −Σ (r − b) ∇ log p(caption)
struct SelfCritical: Sendable {
  private let frequencies: CIDEr.DocumentFrequencies
  /// All captions of the image of a row. What scoring makes of them would fill the memory for a large set: it is made
  /// anew for each batch.
  private let references: @Sendable (Int) -> [[Int32]]
  /// Captions drawn of each image.
  private let samples: Int
  /// Captions that an image must have for some to be drawn of it.
  private let leastReferences: Int

  /// What teacher forcing weighs beside it, 0…1.
  private let teacherWeight: Double

  /// Rewards against all captions of each training image; nil if the run wants none.
  init?(_ configuration: TrainingConfiguration, _ train: EncodedSplit, _ vocabulary: Vocabulary) {
    guard configuration.selfCriticalSamples > 0 else { return nil }
    references = { [words = train.references] row in
      // The end counts as a word, or the model learns to stop after "with a".
      words(row).map { vocabulary.encode($0) + [Vocabulary.end] }
    }
    frequencies = CIDEr.DocumentFrequencies(
      train.photos.names.indices.lazy.map(references).filter { !$0.isEmpty })
    samples = configuration.selfCriticalSamples
    leastReferences = configuration.rewardReferences
    teacherWeight = configuration.teacherWeight
  }

  /// Adds captions that `decoder` draws of the batch's images to the batch.
  /// - Parameter images: what the decoder is told of them.
  /// - Returns: their mean reward; nil: none was drawn, since no image has captions enough.
  func reinforce(
    _ batch: inout TrainingBatch, about images: ImageFeatures, _ decoder: any SequenceDecoder,
    using random: inout Random, on device: Device
  ) -> Double? {
    let options = SamplingOptions(captions: samples, seed: random.next(), maximumLength: 20)
    let chosen = batch.images.indices.filter {
      leastReferences == 1 || references(batch.images[$0]).count >= leastReferences
    }
    guard !chosen.isEmpty else { return nil }
    let captions = decoder.decode(
      chosen.count == images.count ? images : images.rows(chosen), .sample(options),
      streams: chosen.map { UInt64($0) }, on: device
    ).flatMap { $0.map { Array($0.words.dropLast()) } }
    let rewards = rewards(captions, chosen.map { batch.images[$0] }, device)
    let advantages = captions.indices.map { place in
      let first = place / samples * samples
      let others = rewards[first..<first + samples].reduce(0, +) - rewards[place]
      return rewards[place] - others / Double(max(1, samples - 1))
    }
    batch.reinforce(
      captions, imageRows: captions.indices.map { Int32(chosen[$0 / samples]) }, advantages: advantages,
      teacher: teacherWeight)
    return rewards.reduce(0, +) / Double(max(1, rewards.count))
  }

  /// CIDEr-D of `samples` captions of each image.
  private func rewards(_ captions: [[Int32]], _ images: [Int], _ device: Device) -> [Double] {
    var rewards = [Double](repeating: 0, count: captions.count)
    rewards.withUnsafeMutableBufferPointer { rewards in
      // Each image writes its own places.
      nonisolated(unsafe) let rewards = rewards
      device.pool.run(images.count) { image in
        let references = frequencies.vectors(references(images[image]))
        for place in image * samples..<(image + 1) * samples {
          rewards[place] = frequencies.score(captions[place] + [Vocabulary.end], references)
        }
      }
    }
    return rewards
  }
}
