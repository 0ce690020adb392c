import ArgumentParser
import Foundation
import Imaging
import Models
import Tensors

/// How far the pixels that a model's network reads are apart when photos are decoded exactly and at a reduced scale.
struct DecodingDifference: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "decoding-difference")

  @Argument var paths: [String]
  @Option var model: String

  func run() throws {
    let preprocessing = try ModelDescription(of: SafetensorsFile(path: model)).preprocessing
    for path in paths {
      let images = try PhotoDecoding.allCases.map { decoding in
        var reader = ImageReader()
        reader.decoding = decoding
        return try reader.fitted(contentsOf: path, to: preprocessing).image.pixels
      }
      let differences = zip(images[0], images[1]).map { abs(Int($0) - Int($1)) }
      let line: [String: Any] = [
        "image": path, "largest": differences.max() ?? 0,
        "mean": Double(differences.reduce(0, +)) / Double(max(1, differences.count)),
      ]
      print(
        String(
          decoding: try JSONSerialization.data(withJSONObject: line, options: .sortedKeys), as: UTF8.self))
    }
  }
}
