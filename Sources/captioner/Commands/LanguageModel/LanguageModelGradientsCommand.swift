import ArgumentParser
import Foundation
import Kernels
import LanguageModels
import Reporting
import Support

/// `captioner language-model gradients`: how gradients explode and vanish.
struct LanguageModelGradientsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradients", abstract: "Shows how much of a gradient reaches earlier steps.",
    usage: "captioner language-model gradients [<options>] [<model>] --output <page>",
    discussion: """
      Without a model: the norm of the loss's gradient by h (and c) of each step
      before the last in an untrained layer of every cell; a plain recurrent network
      whose W_hh was scaled to spectral radii below and above 1; training with
      gradients that explode, clipped and not; eigenvalues and singular values of
      W_hh. With a model: the same of its layers, over a text or over what the model
      draws itself, beside the same network untrained.

      The page has the plots; a table is printed. JSON, one object a line: cell (or
      layer), state (h or c), norms (by distance from the last step).

      Examples:
        captioner language-model gradients --output gradients.html
        captioner language-model gradients --hidden-size 64 --steps 50 \\
          --output gradients.html --format json
        captioner language-model gradients run/model.safetensors --text book.txt \\
          --output gradients.html
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Model file that language-model train made.") var model: String?
  @Option(help: ArgumentHelp("Where to write the page.", valueName: "page")) var output: String
  @Option(
    help: ArgumentHelp("Text that the model reads; one that it draws unless given.", valueName: "file"))
  var text: String?
  @Option(help: ArgumentHelp("Units of untrained layers (default: 128).", valueName: "n")) var hiddenSize:
    Int?
  @Option(help: ArgumentHelp("Steps that gradients go back.", valueName: "n")) var steps = 100
  @Option(help: ArgumentHelp("Sequences that norms are the mean of.", valueName: "n")) var sequences = 16
  @Option(help: ArgumentHelp("The same seed gives the same numbers.", valueName: "n")) var seed: UInt64 = 1
  @Option(help: "text or json (one object a line).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    for (name, value, range) in [
      ("hidden-size", hiddenSize ?? 128, 2...RecurrentSpectrum.mostUnits), ("steps", steps, 2...2000),
      ("sequences", sequences, 1...1000),
    ] where !range.contains(value) {
      throw ValidationError(
        "--\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
    if model == nil, text != nil { throw ValidationError("--text: only with a model, which reads it") }
    if model != nil, hiddenSize != nil {
      throw ValidationError("--hidden-size: only without a model, which has its own")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      var outputs = Outputs(readingFrom: [model, text].compactMap { $0 })
      try outputs.add(output, "--output")
      let plots = try model.map(ofModel) ?? ofCells()
      try plots.page.write(to: output)
      for flow in plots.flows { try show(flow) }
      Console.note("\(output): \(plots.flows.count) lines over \(steps) steps")
    }
  }

  private func ofCells() -> GradientPlots {
    var sizes = GradientExperiments.Sizes()
    sizes.hidden = hiddenSize ?? 128
    sizes.steps = steps
    sizes.sequences = sequences
    sizes.seed = seed
    return GradientPlots(
      untrained: GradientExperiments.untrained(sizes, on: .cpu),
      scaled: GradientExperiments.scaled(to: [0.5, 0.9, 1, 1.1, 1.5], sizes, on: .cpu),
      clipping: [nil, 1].map { ClippingExperiment(clipNorm: $0, seed: seed, on: .cpu) }, sizes)
  }

  private func ofModel(_ path: String) throws -> GradientPlots {
    let model = try LanguageModel(contentsOf: path)
    let read: String
    var tokens: [Int32] = []
    if let text {
      tokens = try EncodedText(contentsOf: [text], as: model.vocabulary).tokens
      read = FileName.split(text).name
    } else {
      try model.sample(TextSampling(seed: seed, length: steps * 10 + 2), after: model.tokens(of: "")) {
        tokens.append($0)
        return true
      }
      read = "text that it draws"
    }
    guard tokens.count >= steps + 2 else {
      throw Failure(
        description:
          "\(text ?? "what the model draws"): expected \(steps + 2) \(model.vocabulary.unit.rawValue) at least "
          + "for --steps \(steps), found \(tokens.count)")
    }
    let width = model.description.hiddenSize * 8 * model.description.layers + model.vocabulary.count
    let most = (1 << 29) / width
    guard steps * sequences <= most else {
      throw UsageError(
        description: "--steps times --sequences: expected at most \(most) of a model of this size, found "
          + "\(steps * sequences)")
    }
    var random = Random(seed: seed, stream: 1)
    let untrained = LanguageModel(
      model.description, model.description.network { $0.untrained(using: &random) })
    return GradientPlots(
      model: model.gradientFlow(of: tokens, steps: steps, stretches: sequences),
      untrained: untrained.gradientFlow(of: tokens, steps: steps, stretches: sequences),
      spectra: model.spectra(),
      title: "\(FileName.split(path).name), reading \(read)", cell: model.description.cell.rawValue)
  }

  private struct Row: Encodable {
    let cell: String?
    let layer: Int?
    let state: String
    let norms: [Double]
  }

  private func show(_ flow: GradientPlots.Flow) throws {
    for (state, norms) in zip(["h", "c"], flow.flow.norms) {
      if format == .json {
        try Console.print(
          Console.json(Row(cell: flow.cell, layer: flow.layer, state: state, norms: norms)))
        continue
      }
      // c of the last step has no gradient of its own.
      let places = Set([state == "h" ? 0 : 1, 10, 50, norms.count - 1]).filter { $0 < norms.count }.sorted()
      let values = places.map { "\($0) steps back " + String(format: "%.3g", norms[$0]) }
      try Console.print("\(flow.name) \(state): \(values.joined(separator: ", "))")
    }
  }
}
