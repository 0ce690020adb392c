import ArgumentParser
import Models
import Foundation
import Kernels
import Layers
import Support
import Tensors

/// One step of fine-tuning VGG-16: images through the frozen convolutions, those that learn and a compact head of
/// 4096, half the squared distance from random targets, everything back, Adam.
struct FineTuneBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "fine-tune")

  @Option var batch = 8
  @Option var threads = 2
  @Option var repetitions = 5
  @Option(help: "The first convolution that learns.") var from = "conv4_1"
  @Option(help: "Images at a time; 0 is all at once.") var microBatch = 0
  @Flag(help: "Each part's milliseconds, to standard error.") var parts = false

  private struct Network: Module {
    var convolutions: TrainableConvolutions
    var head: FeatureHead

    mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
      try convolutions.visitParameters(visit)
      try head.visitParameters(visit)
    }
  }

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("vgg16-\(getpid()).safetensors")
      .path
    defer { unlink(path) }
    try writeSeededVGG16(to: path)
    let file = try SafetensorsFile(path: path)
    guard let cut = VGGArchitecture.vgg(16, head: .compact)!.cut(before: from) else {
      throw ValidationError("--from: expected a convolution such as conv4_1, found \(from)")
    }
    let frozen = try cut.frozen.map {
      try ConvolutionStack($0, weights: file, prefix: "", caching: .resident, on: .cpu)
    }
    var random = Random(seed: 1)
    var network = Network(
      convolutions: try TrainableConvolutions(cut) {
        try file.tensor(named: String($0.path.dropFirst("encoder.".count)))
      },
      head: FeatureHead(inputs: 2048, widths: [4096]) { $0.untrained(using: &random) })
    let images = Tensor(uniform: [batch, 224, 224, 3], limit: 1, using: &random)
    let targets = Tensor(uniform: [batch, 4096], limit: 1, using: &random)
    var adam = Optimizer(.adam(), learningRate: 1e-5)
    var traces = (convolutions: TrainableConvolutions.Trace(), head: FeatureHead.Trace())
    var dPooled = Tensor(uninitialized: [batch, 2048])
    var times: [[Double]] = []
    for _ in 0..<repetitions + 2 {
      var marks = [ContinuousClock.now]
      func mark() { marks.append(.now) }
      let maps = frozen?(images) ?? images
      mark()
      let pooled = network.convolutions.trainingForward(
        maps, microBatch: microBatch > 0 ? microBatch : nil, into: &traces.convolutions, on: .cpu)
      mark()
      var dv = network.head.trainingForward(pooled, dropout: 0, seed: 1, into: &traces.head, on: .cpu)
      for i in 0..<dv.count { dv[i] -= targets[i] }
      network.head.backward(dv, &traces.head, into: dPooled.mutablePointer(), on: .cpu)
      mark()
      network.convolutions.backward(dPooled, &traces.convolutions, on: .cpu)
      mark()
      adam.update(&network, on: .cpu)
      mark()
      times.append(zip(marks, marks.dropFirst()).map { ($1 - $0) / .milliseconds(1) })
    }
    let counted = times.dropFirst(2)
    if parts {
      for (index, part) in ["frozen", "forward", "head", "backward", "update"].enumerated() {
        let sorted = counted.map { $0[index] }.sorted()
        FileHandle.standardError.write(Data("\(part) \(sorted[sorted.count / 2]) ms\n".utf8))
      }
      let shape = cut.mapShape(height: 224, width: 224)
      let bytes = network.convolutions.trainingMemory(
        images: batch, height: shape[0], width: shape[1], microBatch: microBatch > 0 ? microBatch : nil,
        on: .cpu)
      FileHandle.standardError.write(Data("memory \(bytes / 1_000_000) MB\n".utf8))
    }
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))", "precision": "f32", "batch": batch,
      "threads": threads, "times": counted.map { $0.reduce(0, +) },
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
