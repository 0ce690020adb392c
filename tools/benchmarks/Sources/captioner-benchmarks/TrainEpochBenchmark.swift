import ArgumentParser
import Models
import Datasets
import Foundation
import Imaging
import Kernels
import Language
import MPIProcesses
import Support
import Tensors
import Training

/// The first steps of an epoch of `captioner train` on the recipe of peers/training.py: 30,000 made-up captions of
/// Flickr8k's lengths about 6,000 images whose features are cached, V = 2540, E = H = 512, D = 4096, batches of 100.
/// It is the trainer itself that runs, with all it does beside the peers' steps: averaged weights, log, checks. Started by
/// `mpirun`, the processes share every batch.
struct TrainEpochBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "train-epoch")

  @Option var batches = 30
  @Option var threads = 2
  @Option(help: "Decay of the moving average of the weights; 0: none, as in the peers.") var averageDecay =
    0.999

  private static let (images, words, warm) = (6000, 2540, 2)
  /// Flickr8k's training captions by their number of words, from 2.
  private static let lengths = [
    15, 126, 346, 862, 1958, 2537, 2926, 3320, 3318, 3131, 2779, 2318, 1849, 1329, 977, 662, 513, 367, 204,
    136, 110, 74, 52, 33, 20, 11, 7, 9, 4, 3, 1, 2, 0, 0, 1,
  ]

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let group = try group()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("train-epoch-\(getpid())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // The convolutions are not used: their features are cached.
    try SafetensorsWriter.write([], metadata: [:], to: folder + "/encoder.safetensors")
    let architecture = VGGArchitecture.vgg(16, head: .compact)!
    let vocabulary = try Vocabulary(
      words: Vocabulary.specialWords + (Vocabulary.specialWords.count..<Self.words).map { "w\($0)" })
    let split = try madeUp(width: architecture.pooledSize, folder: folder)
    var configuration = TrainingConfiguration()
    configuration.averageDecay = averageDecay
    var (times, losses): ([Double], [Double]) = ([], [])
    var last = ContinuousClock.now
    let description = ModelDescription(
      encoder: architecture, preprocessing: .torchvision, decoder: configuration.decoder,
      vocabulary: vocabulary)
    var trainer = try Trainer(
      configuration, description,
      TrainingData(train: split, validation: split),
      encoder: (SafetensorsFile(path: folder + "/encoder.safetensors"), ""), folder: folder, resume: false,
      among: group)
    trainer.shouldStop = { times.count == batches + Self.warm }
    trainer.report = { event in
      guard case .progress(_, _, _, let loss) = event else { return }
      times.append((ContinuousClock.now - last) / .milliseconds(1))
      last = .now
      losses.append(loss)
    }
    last = .now
    do { _ = try trainer.run() } catch TrainingError.interrupted {}
    times.removeFirst(Self.warm)
    let steps = Double(batches + Self.warm)
    guard group.isFirst else { return leave(group) }
    let epoch = split.captions.count / configuration.batchSize
    var line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))" + (group.isShared ? ", \(group.size) processes" : ""),
      "precision": "f32", "threads": threads,
      "seconds_per_epoch": times.sorted()[times.count / 2] * Double(epoch) / 1000, "batches": times.count,
      "batches_per_epoch": epoch, "times": times, "first_loss": losses[0],
      "mean_loss": losses[losses.count - 1],
      "average_decay": averageDecay,
    ]
    if group.isShared {
      var random = Random(seed: 1)
      let scalars = CaptionNetwork(description) { $0.untrained(using: &random) }.scalarCount
      line["bytes_sent_per_step"] = Double(group.traffic.bytesSent) / steps
      line["least_bytes_per_step"] = 8 * Double(group.size - 1) / Double(group.size) * Double(scalars)
      line["milliseconds_shared_per_step"] = 1000 * group.traffic.seconds / steps
    }
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
    leave(group)
  }

  /// Those that `mpirun` started, in a build with the trait MPI.
  private func group() throws -> any ProcessGroup {
    #if MPI
      if MPIProcessGroup.isThere { return try MPIProcessGroup() }
    #endif
    return OneProcess()
  }

  private func leave(_ group: any ProcessGroup) {
    #if MPI
      (group as? MPIProcessGroup)?.leave()
    #endif
  }

  private func madeUp(width: Int, folder: String) throws -> EncodedSplit {
    var random = Random(seed: 1)
    let features = try MapCache(
      path: folder + "/features.safetensors", key: "made up", names: (0..<Self.images).map(String.init),
      width: width)
    for image in 0..<Self.images {
      let row = Tensor((0..<width).map { _ in random.uniform() }, [width])
      try row.withUnsafeBufferPointer { try features.store($0.baseAddress!, row: image) }
    }
    var captions = Self.lengths.enumerated().flatMap { index, count in
      (0..<count).map { _ in (0..<index + 2).map { _ in word(random.uniform()) } }
    }
    captions.shuffle(using: &random)
    return EncodedSplit(
      captions: captions, rows: captions.indices.map { $0 % Self.images }, features: features)
  }

  /// Frequent words are the small numbers.
  private func word(_ uniform: Float) -> Int32 {
    Int32(min(3 + pow(Double(Self.words - 4), Double(uniform)), Double(Self.words - 1)))
  }
}
