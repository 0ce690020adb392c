import ArgumentParser
import Models
import Foundation
import Imaging
import LanguageModels
import Support
import Tensors
import WeightFiles

/// `captioner inspect`: what a model, checkpoint or weights file holds.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows what a model, checkpoint or weights file holds.",
    discussion: """
      Examples:
        captioner inspect model.safetensors
        captioner inspect vgg16.safetensors --format json | jq .tensors
        captioner inspect vgg16-397923af.pth
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "A safetensors file, or weights of another program; the default model unless given.")
  var file: String?
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  private struct Report: Encodable {
    struct TensorLine: Encodable {
      let name, type: String
      let shape: [Int]
    }
    let file: String
    /// Of another program: what kind of file, and the network that was found in it.
    let kind, network: String?
    let parameters: Int
    let metadata: [String: String]
    let tensors: [TensorLine]
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let path = try file ?? ModelOption.parse([]).resolved()
      let contents = try Contents(path)
      let entries = contents.tensors.sorted { $0.name.localizedStandardCompare($1.name) == .orderedAscending }
      let parameters = entries.reduce(0) { $0 + $1.shape.reduce(1, *) }
      if format == .json {
        try Console.print(
          Console.json(
            Report(
              file: path, kind: contents.kind, network: contents.kind == nil ? nil : contents.network,
              parameters: parameters, metadata: contents.metadata, tensors: entries)))
        return
      }
      var lines = ["file: \(path)"] + (contents.kind.map { ["kind: \($0)"] } ?? [])
      lines.append("parameters: \(parameters)")
      if let weights = contents.weights, weights.metadata["format"] == "captioner" {
        lines += description(try ModelDescription(of: weights))
      } else if let weights = contents.weights, weights.metadata["format"] == LanguageModelDescription.format
      {
        lines += description(try LanguageModelDescription(of: weights))
      } else {
        for (key, value) in contents.metadata.sorted(by: { $0.key < $1.key }) {
          lines.append(
            "\(key): \(value.count > 200 ? "\(value.prefix(200))… (\(value.count) characters)" : value)")
        }
        if let network = contents.network { lines.append("network: \(network)") }
      }
      lines.append("tensors:")
      let width = min(80, entries.map(\.name.count).max() ?? 0)
      for entry in entries {
        let spaces = String(repeating: " ", count: max(0, width - entry.name.count))
        lines.append("  \(entry.name)\(spaces)  \(entry.type)  \(entry.shape)")
      }
      // A line of what the file says must not look like two.
      try Console.print(lines.map { $0.printable() }.joined(separator: "\n"))
    }
  }

  /// What a file of any kind holds.
  private struct Contents {
    let tensors: [Report.TensorLine]
    let metadata: [String: String]
    /// What another program's kind of file it is.
    let kind: String?
    /// The network in it, if it is one that can be an encoder.
    let network: String?
    /// One of ours, or with names like ours.
    let weights: SafetensorsFile?

    init(_ path: String) throws {
      if let format = try WeightFormat.of(path: path), format != .safetensors,
        let file = try NamedTensors.read(path: path)
      {
        tensors = file.entries.map {
          .init(name: $0.name, type: $0.typeName, shape: $0.shape.dimensions)
        }
        metadata = file.metadata
        kind = format.title
        weights = nil
        network = (try? EncoderSource(path: path, preprocessing: "auto")).map {
          InspectCommand.title($0.architecture)
        }
        return
      }
      let file = try SafetensorsFile(path: path)
      tensors = file.entries.map {
        .init(name: $0.key, type: $0.value.typeName, shape: $0.value.shape.dimensions)
      }
      metadata = file.metadata
      kind = nil
      weights = file
      let isOurs = file.metadata["format"] != nil && file.metadata["format"] != "pt"
      network =
        isOurs
        ? nil
        : (try? EncoderSource(path: path, preprocessing: "auto")).map {
          InspectCommand.title($0.architecture)
        }
    }
  }

  private static func title(_ network: VGGArchitecture) -> String {
    "\(network.name) (\(network.table)), head \(network.head.rawValue)"
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
      case .stretchThenCrop(let side, let margin): "of a stretch to \(side)×\(side), \(margin) from its edges"
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
