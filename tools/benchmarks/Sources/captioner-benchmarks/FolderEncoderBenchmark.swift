import ArgumentParser
import Models
import Foundation
import Kernels
import Support
import Tensors

/// A model file's encoder alone, for as many images as a folder has: what captioning the folder can't be faster than.
struct FolderEncoderBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "folder-encoder")

  @Option var model: String
  @Option var images = 200
  @Option var threads = 2
  @Option var repetitions = 5

  func run() throws {
    ThreadPool.setSharedThreads(threads)
    let captioner = try CaptionModel(contentsOf: model, caching: .resident)
    let preprocessing = captioner.description.preprocessing
    var random = Random(seed: 1)
    let batch = Tensor(
      uniform: [min(images, VGGEncoder.batchSize), preprocessing.height, preprocessing.width, 3], limit: 1,
      using: &random)
    _ = try captioner.maps(batch)
    var times: [Double] = []
    for _ in 0..<repetitions {
      let elapsed = try ContinuousClock().measure {
        for _ in 0..<images / batch.shape[0] { _ = try captioner.maps(batch) }
      }
      times.append(
        elapsed / .milliseconds(1) * Double(images) / Double(images / batch.shape[0] * batch.shape[0]))
    }
    let line: [String: Any] = [
      "engine": "encoder alone", "precision": "f32", "threads": threads, "images": images, "times": times,
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
