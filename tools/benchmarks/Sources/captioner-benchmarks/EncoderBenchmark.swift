import ArgumentParser
import Models
import Foundation
import Kernels
import Support
import Tensors

/// VGG-16's 13 convolutions and 5 pools on 224×224 images, seeded weights; with `--head` its two FC layers, too.
struct EncoderBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "encoder")

  @Option var batch = 8
  @Option var threads = 2
  @Option var repetitions = 10
  @Option(help: "How the FC layers' weights are stored: float32 or float16; none: no FC layers.")
  var head = "none"
  @Option(help: "What the convolutions multiply: float32 or bfloat16.") var arithmetic = "float32"

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let stored: StoredType? = head == "float32" ? .float32 : head == "float16" ? .float16 : nil
    let architecture = VGGArchitecture.vgg(16, head: stored == nil ? .none : .full)!
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("vgg16-\(getpid()).safetensors")
      .path
    defer { unlink(path) }
    try writeSeededVGG16(to: path, head: stored)
    let file = try SafetensorsFile(path: path)
    guard let arithmetic = Arithmetic(rawValue: arithmetic), arithmetic.isAvailable else {
      throw ValidationError("--arithmetic: expected what this CPU can multiply, found \(arithmetic)")
    }
    let stack = try ConvolutionStack(
      architecture, weights: file, prefix: "", caching: .resident,
      on: Device.cpu.multiplying(arithmetic))
    let layers = try StoredFeatureHead(architecture, weights: file, prefix: "", on: .cpu)
    func run(_ images: Tensor) -> Tensor {
      let map = stack(images)
      return stored == nil ? map : layers(adaptiveAveragePool(map, side: architecture.head.side), on: .cpu)
    }
    var random = Random(seed: 1)
    let images = Tensor(uniform: [batch, 224, 224, 3], limit: 1, using: &random)
    _ = run(images)
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<repetitions {
      let elapsed = clock.measure { _ = run(images) }
      times.append(elapsed / .milliseconds(1) / Double(batch))
    }
    times.sort()
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))",
      "precision": arithmetic == .bfloat16 ? "bf16" : stored == .float16 ? "f16 weights" : "f32",
      "batch": batch,
      "threads": threads,
      "milliseconds_per_image": times[times.count / 2], "min": times[0], "max": times[times.count - 1],
      "times": times,
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
