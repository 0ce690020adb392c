import ArgumentParser
import Captioning
import Foundation
import Kernels
import Tensors

/// VGG-16's 13 convolutions and 5 pools on 224×224 images, seeded weights.
struct EncoderBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "encoder")

  @Option var batch = 8
  @Option var threads = 2
  @Option var repetitions = 10

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let architecture = VGGArchitecture.vgg(16, head: .none)!
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("vgg16-\(getpid()).safetensors")
      .path
    defer { unlink(path) }
    try writeSeededVGG16(to: path)
    let stack = try ConvolutionStack(
      architecture, weights: SafetensorsFile(path: path), prefix: "", residency: .resident)
    var random = Random(seed: 1)
    let images = Tensor(uniform: [batch, 224, 224, 3], limit: 1, using: &random)
    _ = stack(images)
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<repetitions {
      let elapsed = clock.measure { _ = stack(images) }
      times.append(elapsed / .milliseconds(1) / Double(batch))
    }
    times.sort()
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))", "precision": "f32", "batch": batch,
      "threads": threads,
      "milliseconds_per_image": times[times.count / 2], "min": times[0], "max": times[times.count - 1],
      "times": times,
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
