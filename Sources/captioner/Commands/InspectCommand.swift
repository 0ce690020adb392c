import ArgumentParser
import Models
import Foundation
import Imaging
import LanguageModels
import Support
import Tensors

/// `captioner inspect`: what a model, checkpoint or weights file holds.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows what a model, checkpoint or weights file holds.",
    discussion: """
      Examples:
        captioner inspect model.safetensors
        captioner inspect vgg16.safetensors --format json | jq .tensors
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "A safetensors file; the default model unless given.") var file: String?
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  private struct Report: Encodable {
    struct TensorLine: Encodable {
      let name, type: String
      let shape: [Int]
    }
    let file: String
    let parameters: Int
    let metadata: [String: String]
    let tensors: [TensorLine]
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let path = try file ?? ModelOption.parse([]).resolved()
      let weights = try SafetensorsFile(path: path)
      let entries = weights.entries.sorted {
        $0.key.localizedStandardCompare($1.key) == .orderedAscending
      }
      let parameters = entries.reduce(0) { $0 + $1.value.shape.count }
      if format == .json {
        let tensors = entries.map {
          Report.TensorLine(name: $0.key, type: $0.value.typeName, shape: $0.value.shape.dimensions)
        }
        try Console.print(
          Console.json(
            Report(file: path, parameters: parameters, metadata: weights.metadata, tensors: tensors)))
        return
      }
      var lines = ["file: \(path)", "parameters: \(parameters)"]
      if weights.metadata["format"] == "captioner" {
        lines += description(try ModelDescription(of: weights))
      } else if weights.metadata["format"] == LanguageModelDescription.format {
        lines += description(try LanguageModelDescription(of: weights))
      } else {
        for (key, value) in weights.metadata.sorted(by: { $0.key < $1.key }) {
          lines.append(
            "\(key): \(value.count > 200 ? "\(value.prefix(200))… (\(value.count) characters)" : value)")
        }
        if let network = try? VGGArchitecture(weights: weights) {
          lines.append("network: \(network.name) (\(network.table)), head \(network.head.rawValue)")
        }
      }
      lines.append("tensors:")
      let width = entries.map(\.key.count).max() ?? 0
      for (name, entry) in entries {
        let padded = name.padding(toLength: width, withPad: " ", startingAt: 0)
        lines.append("  \(padded)  \(entry.typeName)  \(entry.shape)")
      }
      // A line of what the file says must not look like two.
      try Console.print(lines.map { $0.printable() }.joined(separator: "\n"))
    }
  }

  /// What is not usual in a head.
  private func ways(of encoder: VGGArchitecture) -> String {
    (encoder.activation == .relu ? "" : ", \(encoder.activation.rawValue)")
      + (encoder.normalization == .none ? "" : ", features normalised: \(encoder.normalizationText)")
  }

  private func description(_ model: LanguageModelDescription) -> [String] {
    let cell = model.cell.rawValue.uppercased()
    let layers = "\(model.layers) \(model.isResidual ? "residual " : "")\(cell) layers"
    let input = model.embeddingSize > 0 ? "embedding of \(model.embeddingSize)" : "each by itself"
    return [
      "language model: \(model.layers == 1 ? cell : layers) of \(model.hiddenSize), \(model.unit.rawValue), \(input)",
      "vocabulary: \(model.vocabulary.count) \(model.unit.rawValue)",
    ] + model.training.sorted { $0.key < $1.key }.map { "training.\($0.key): \($0.value)" }
  }

  private func description(_ model: ModelDescription) -> [String] {
    let isGiven = model.encoder.given != nil
    let input = model.preprocessing
    let rule =
      switch input.resize {
      case .stretch: "stretched"
      case .shortSideThenCenterCrop(let side): "short side to \(side), centre crop"
      }
    let cell = model.decoder.cell.rawValue.uppercased()
    let layers = "\(model.decoder.layers) \(model.decoder.isResidual ? "residual " : "")\(cell) layers"
    let cells =
      model.decoder.conditioning == .topDown ? "2 \(cell) layers" : model.decoder.layers == 1 ? cell : layers
    var lines = [
      "encoder: \(model.encoder.name)" + (isGiven ? "" : " (\(model.encoder.table))")
        + ", head \(model.encoder.head.rawValue), v of \(model.encoder.featureSize)"
        + ways(of: model.encoder),
      isGiven
        ? nil
        : "input: \(input.width)×\(input.height) \(rule), \(input.channelOrder.rawValue.uppercased()) "
          + "\(input.scale.rawValue), mean \(input.mean), standard deviation \(input.standardDeviation)",
      "decoder: \(cells) of \(model.decoder.hiddenSize), embedding of \(model.decoder.embeddingSize), "
        + model.decoder.ways.joined(separator: ", "),
      "vocabulary: \(model.vocabulary.count) words",
    ].compactMap(\.self)
    for (key, value) in model.training.sorted(by: { $0.key < $1.key }) {
      lines.append("training.\(key): \(value)")
    }
    return lines
  }
}
