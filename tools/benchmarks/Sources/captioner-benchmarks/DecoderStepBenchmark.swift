import ArgumentParser
import Models
import Decoding
import Foundation
import Kernels
import Layers
import Support
import Tensors

/// A training step of a decoder alone, or with the FC head: captions of one length over given image features, teacher
/// forcing, Adam, clipping to 5.
struct DecoderStepBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "decoder-step")

  @Option var batch = 64
  @Option(help: "Words of a caption, the end included.") var steps = 12
  @Option(help: "Photos that the captions are of, as many of each; each caption its own unless given.")
  var images: Int?
  @Option var words = 9567
  @Option var hidden = 512
  @Flag(help: "v comes from 2048 numbers by a layer that learns too, under dropout.") var head = false
  @OptionGroup var decoder: DecoderFlags
  @Option var threads = 2
  @Option var repetitions = 5
  @Flag(help: "Large products of bfloat16 factors, as train --arithmetic bfloat16.") var bf16 = false

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    if bf16 && !Arithmetic.bfloat16.isAvailable { throw ValidationError("this CPU can't multiply bfloat16") }
    let device = Device.cpu.multiplying(bf16 ? .bfloat16 : .float32)
    let images = images ?? batch
    guard images > 0 && batch.isMultiple(of: images) else {
      throw ValidationError("\(batch) captions of \(images) photos")
    }
    var random = Random(seed: 1)
    let description = try self.decoder.description(words: words, hidden: hidden)
    var network = StepNetwork(
      head: head
        ? FeatureHead(inputs: 2048, widths: [4096]) { $0.untrained(using: &random) } : nil,
      decoder: makeDecoder(description) { $0.untrained(using: &random) })
    let seen = Tensor(uniform: [images, head ? 2048 : 4096], limit: 1, using: &random)
    let regions = decoder.regions(of: images, description, using: &random)
    let sentences = (0..<batch).map { _ in
      (1..<steps).map { _ in Int32(min(Float(words - 1), 4 + random.uniform() * Float(words - 4))) }
    }
    let sequences = PackedSequences.packing(
      sentences, imageRows: (0..<batch).map { Int32($0 * images / batch) }, start: 1, end: 2
    ).sequences
    var adam = Optimizer(.adam(), learningRate: 4e-4)
    var trace = DecoderTrace()
    var headTrace = FeatureHead.Trace()
    var (times, losses): ([Double], [Double]) = ([], [])
    for step in 0..<repetitions + 2 {
      let start = ContinuousClock.now
      let v =
        network.head?.trainingForward(
          seen, dropout: 0.5, seed: UInt64(step), into: &headTrace, on: device) ?? seen
      var pass = TrainingPass(dropout: .init(.init(), seed: UInt64(step)), reconstructionWeight: 1)
      if decoder.conditioning == .hardAttention {
        pass.attentionSampling = AttentionSampling(.drawn(seed: UInt64(step), share: 0.5), baseline: 0)
      }
      let logProbs = network.decoder.trainingForward(
        sequences, about: ImageFeatures(v: v, regions: regions), pass, into: &trace, on: device)
      let gradients = network.decoder.backward(&trace, on: device)
      network.head?.backward(gradients.v, &headTrace, on: device)
      adam.update(&network, clipNorm: 5, on: device)
      times.append((ContinuousClock.now - start) / .milliseconds(1))
      losses.append(-logProbs.reduce(0) { $0 + Double($1) } / Double(logProbs.count))
    }
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))", "precision": bf16 ? "bf16" : "f32",
      "threads": threads,
      "times": Array(times.dropFirst(2)), "first_loss": losses[0], "last_loss": losses[losses.count - 1],
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}

/// What learns.
private struct StepNetwork: Module {
  var head: FeatureHead?
  var decoder: any SequenceDecoder

  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try head?.visitParameters(visit)
    try decoder.visitParameters(visit)
  }
}
