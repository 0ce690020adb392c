import ArgumentParser
import Foundation
import Imaging
import Tensors

/// A JPEG file to the tensor torchvision's weights expect, on one thread.
struct JPEGBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "jpeg")

  @Argument var path: String
  @Option(help: "Where the tensor is written: raw floats [224, 224, 3].") var output: String
  @Option var repetitions = 5
  @Flag(help: "Decode every pixel; else no finer than twice the side that is read.") var exactDecoding = false

  func run() throws {
    let preprocessing = Preprocessing.torchvision
    var tensor = Tensor(uninitialized: [224, 224, 3])
    let memory = tensor.mutablePointer()
    var reader = ImageReader()
    reader.decoding = exactDecoding ? .exact : .scaled
    func decode() throws -> RGBImage { try reader.fitted(contentsOf: path, to: preprocessing).image }
    func once() throws { preprocessing.normalise(try decode(), into: memory) }
    let clock = ContinuousClock()
    var (times, decoding): ([Double], [Double]) = ([], [])
    for _ in 0..<3 { try once() }
    for _ in 0..<repetitions {
      times.append(try clock.measure { for _ in 0..<20 { try once() } } / .milliseconds(20))
      let decode = try clock.measure { for _ in 0..<20 { _ = try decode() } }
      decoding.append(decode / .milliseconds(20))
    }
    try Data(bytes: memory, count: 224 * 224 * 3 * 4).write(to: URL(fileURLWithPath: output))
    let line: [String: Any] = [
      "engine": "captioner", "precision": exactDecoding ? "whole" : "scaled", "threads": 1, "times": times,
      "decoding": decoding.sorted()[decoding.count / 2],
    ]
    print(
      String(decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
  }
}
