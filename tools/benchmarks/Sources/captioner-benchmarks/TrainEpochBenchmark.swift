import ArgumentParser
import Captioning
import Foundation
import Kernels
import Layers
import Tensors

/// The training steps of an epoch on the recipe of peers/training.py: 30,000 made-up captions of Flickr8k's lengths,
/// compact head, V = 2540, E = H = 512, D = 4096, batches of 100, dropout, clipping, Adam.
struct TrainEpochBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "train-epoch")

  @Option var batches = 30
  @Option var threads = 2

  private static let (images, width, words, batch) = (6000, 2048, 2540, 100)
  /// Flickr8k's training captions by their number of words, from 2.
  private static let lengths = [
    15, 126, 346, 862, 1958, 2537, 2926, 3320, 3318, 3131, 2779, 2318, 1849, 1329, 977, 662, 513, 367, 204,
    136, 110,
    74, 52, 33, 20, 11, 7, 9, 4, 3, 1, 2, 0, 0, 1,
  ]

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    var random = Random(seed: 1)
    let features = Tensor(uniform: [Self.images, Self.width], limit: 1, using: &random)
    var sentences = Self.lengths.enumerated().flatMap { index, count in
      (0..<count).map { _ in
        (0..<index + 2).map { _ in
          // Frequent words are the small numbers.
          Int32(min(3 + pow(Double(Self.words - 4), Double(random.uniform())), Double(Self.words - 1)))
        }
      }
    }
    sentences.shuffle(using: &random)
    var network = Network(
      head: FeatureHead(inputs: Self.width, widths: [4096]) { $0.untrained(using: &random) },
      decoder: CaptionDecoder(
        CaptionDecoder.Configuration(
          vocabularySize: Self.words, embeddingSize: 512, hiddenSize: 512, imageFeatureSize: 4096)
      ) { $0.untrained(using: &random) })
    var (traces, adam) = ((FeatureHead.Trace(), CaptionDecoder.Trace()), Adam(learningRate: 4e-4))
    let clock = ContinuousClock()
    var (times, losses): ([Double], [Double]) = ([], [])
    for number in 0..<batches + 2 {  // two to warm up
      let elapsed = clock.measure {
        var x = Tensor(uninitialized: [Self.batch, Self.width])
        let memory = x.mutablePointer()
        let first = number * Self.batch
        for row in 0..<Self.batch {
          let image = (first + row) * 7 % Self.images
          (memory + row * Self.width).update(from: features.pointer + image * Self.width, count: Self.width)
        }
        let captions = PackedCaptions.packing(
          Array(sentences[first..<first + Self.batch]), imageRows: (0..<Int32(Self.batch)).map { $0 },
          start: 1,
          end: 2
        ).captions
        let seed = UInt64(number)
        let v = network.head.trainingForward(x, dropout: 0.5, seed: seed, into: &traces.0)
        let logProbs = network.decoder.trainingForward(
          captions, v: v, dropout: .init(), seed: ~seed, into: &traces.1)
        let dv = network.decoder.backward(&traces.1)
        network.head.backward(dv, &traces.0)
        adam.update(&network, clipNorm: 5)
        losses.append(-Double(logProbs.reduce(0, +)) / Double(logProbs.count))
      }
      times.append(elapsed / .milliseconds(1))
    }
    times.removeFirst(2)
    let epoch = sentences.count / Self.batch
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))", "precision": "f32", "threads": threads,
      "seconds_per_epoch": times.sorted()[times.count / 2] * Double(epoch) / 1000, "batches": times.count,
      "batches_per_epoch": epoch, "times": times, "first_loss": losses[0],
      "last_loss": losses[losses.count - 1],
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}

private struct Network: Module {
  var head: FeatureHead
  var decoder: CaptionDecoder
  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try head.visitParameters(visit)
    try decoder.visitParameters(visit)
  }
}
