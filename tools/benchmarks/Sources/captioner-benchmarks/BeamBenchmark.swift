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
  @Option(
    help:
      "A safetensors file with `features` [images, channels · rows · columns], as captioner features makes.")
  var features: String
  @Option var beamWidth = 5
  @Option(help: "Images searched together.") var batch = 1000
  @Option var threads = 2
  @Option var repetitions = 5

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let captioner = try CaptionModel(contentsOf: model, caching: .streamed)
    let stored = try SafetensorsFile(path: features).tensor(named: "features")
    let (images, width) = (stored.shape[0], stored.shape[1])
    let maps = captioner.description.tap == .map ? regions(stored, captioner.description.mapShape) : stored
    let options = DecodingStrategy.beam(BeamOptions(beamWidth: beamWidth))
    var found: [(caption: String, logProb: Float)] = []
    var times: [Double] = []
    for _ in 0...repetitions {
      found = []
      let elapsed = ContinuousClock().measure {
        for start in stride(from: 0, to: images, by: batch) {
          let rows = min(batch, images - start)
          var part = Tensor(uninitialized: [rows, width])
          part.mutablePointer().update(from: maps.pointer + start * width, count: rows * width)
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

  /// Maps [N, C·h·w] as those that attend to them have them: [N, h·w·C].
  private func regions(_ maps: Tensor, _ shape: Shape) -> Tensor {
    let (places, channels) = (shape[0] * shape[1], shape[2])
    var result = Tensor(uninitialized: maps.shape)
    let memory = result.mutablePointer()
    for image in 0..<maps.shape[0] {
      let first = image * places * channels
      for place in 0..<places {
        for channel in 0..<channels {
          memory[first + place * channels + channel] = maps.pointer[first + channel * places + place]
        }
      }
    }
    return result
  }
}
