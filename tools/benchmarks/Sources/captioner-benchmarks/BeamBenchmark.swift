import ArgumentParser
import Models
import Decoding
import Foundation
import Kernels
import Tensors

/// Captions of many images from cached features: the FC head and the beam search of a model file.
struct BeamBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "beam")

  @Option var model: String
  @Option(help: "A safetensors file with `features` [images, pooledSize].") var features: String
  @Option var beamWidth = 5
  @Option(help: "Images searched together.") var batch = 1000
  @Option var threads = 2
  @Option var repetitions = 5

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let captioner = try CaptionModel(contentsOf: model, caching: .streamed)
    let pooled = try SafetensorsFile(path: features).tensor(named: "features")
    let (images, width) = (pooled.shape[0], pooled.shape[1])
    let options = DecodingStrategy.beam(BeamOptions(beamWidth: beamWidth))
    var found: [(caption: String, logProb: Float)] = []
    var times: [Double] = []
    for _ in 0...repetitions {
      found = []
      let elapsed = ContinuousClock().measure {
        for start in stride(from: 0, to: images, by: batch) {
          let rows = min(batch, images - start)
          var part = Tensor(uninitialized: [rows, width])
          part.mutablePointer().update(from: pooled.pointer + start * width, count: rows * width)
          found += captioner.captions(part, options).map { ($0[0].text, $0[0].logProb) }
        }
      }
      times.append(elapsed / .milliseconds(1))
    }
    times.removeFirst()
    let line: [String: Any] = [
      "engine": "captioner (\(InstructionSet.current))", "precision": "f32", "threads": threads,
      "images": images, "times": times, "captions": found.map(\.caption),
      "log_probs": found.map { Double($0.logProb) },
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
