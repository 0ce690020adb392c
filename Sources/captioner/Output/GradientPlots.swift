import Foundation
import Kernels
import LanguageModels
import Reporting

/// Gradient flow as a page of plots, and as lines.
struct GradientPlots {
  /// What was measured of a cell or a layer.
  struct Flow {
    /// Of untrained layers.
    let cell: String?
    /// Of a model's, 1 the lowest.
    let layer: Int?
    let flow: GradientFlow
    var name: String { cell ?? "layer \(layer ?? 1)" }
  }

  let page: PlotPage
  let flows: [Flow]

  /// Of cells as training begins with them, and the lectures' demonstrations.
  init(
    untrained: [GradientExperiments.Untrained], scaled: [GradientExperiments.Scaled],
    clipping: [ClippingExperiment], _ sizes: GradientExperiments.Sizes
  ) {
    flows = untrained.map { Flow(cell: $0.cell, layer: nil, flow: $0.flow) }
    page = PlotPage(
      title: "Gradients through time",
      subtitle:
        "Untrained layers of \(sizes.hidden) units over \(sizes.steps) steps, \(sizes.sequences) sequences, "
        + "seed \(sizes.seed).",
      [
        Self.section(scaled), Self.section(clipping), Self.section(untrained),
        Self.eigenvalues(untrained),
      ])
  }

  /// Of a model's layers, beside those of the same network untrained.
  init(
    model: [GradientFlow], untrained: [GradientFlow], spectra: [[RecurrentSpectrum]?], title: String,
    cell: String
  ) {
    flows = model.enumerated().map { Flow(cell: nil, layer: $0.offset + 1, flow: $0.element) }
    let plots = zip(model, untrained).enumerated().map { number, flows in
      LinePlot(
        "Layer \(number + 1)", xLabel: "steps before the last", isLogarithmic: true,
        zip(flows.0.norms, flows.1.norms).enumerated().flatMap { state, norms in
          let name = state == 0 ? "h" : "c"
          return [
            LinePlot.Line("∂L/∂\(name)", Self.shown(norms.0, state), colour: state),
            LinePlot.Line(
              "∂L/∂\(name), untrained", Self.shown(norms.1, state), colour: state, isDashed: true),
          ]
        })
    }
    var sections = [
      PlotPage.Section(
        "How far gradients reach",
        note:
          "The norm of the gradient of −ln p of a token by the states of the steps before it; dashed is the same "
          + "network as training began with it.", lines: plots)
    ]
    sections += spectra.enumerated().compactMap { number, gates in
      guard let gates, !gates.isEmpty else { return nil }
      return Self.section(gates, "W_hh of layer \(number + 1)", cell)
    }
    page = PlotPage(
      title: title, subtitle: "\(model.count) layer\(model.count == 1 ? "" : "s") of \(cell).", sections)
  }

  /// Without what there is not: c of the last step.
  private static func shown(_ norms: [Double], _ state: Int) -> [Double] {
    state == 0 ? norms : [.nan] + norms.dropFirst()
  }

  private static func brief(_ value: Double?) -> String { value.map { String(format: "%.3g", $0) } ?? "–" }

  /// What a norm becomes at each step back, over the middle of the way.
  private static func factor(_ flow: GradientFlow) -> Double? {
    let steps = flow.norms[0].count
    return flow.factor(over: steps / 4..<max(steps / 4 + 2, steps * 3 / 4))
  }

  private static func section(_ scaled: [GradientExperiments.Scaled]) -> PlotPage.Section {
    func lines(_ flow: KeyPath<GradientExperiments.Scaled, GradientFlow>) -> [LinePlot.Line] {
      scaled.enumerated().map {
        LinePlot.Line("ρ = \($0.element.radius)", $0.element[keyPath: flow].norms[0], colour: $0.offset)
      }
    }
    return PlotPage.Section(
      "The largest eigenvalue decides",
      note:
        "The norm of the gradient by h of each step before the last in a plain recurrent network, one random W_hh "
        + "of which was scaled to the spectral radius ρ. At rest every step back multiplies by W_hh transposed: the "
        + "gradient explodes above 1 and vanishes below. With inputs tanh takes its share.",
      lines: [
        LinePlot("At rest: x = 0", xLabel: "steps before the last", isLogarithmic: true, lines(\.atRest)),
        LinePlot(
          "With standard normal inputs", xLabel: "steps before the last", isLogarithmic: true, lines(\.driven)
        ),
      ],
      table: PlotPage.Table(
        "What the norm is multiplied by at each step back", ["ρ", "at rest", "with inputs"],
        scaled.map { ["\($0.radius)", brief(factor($0.atRest)), brief(factor($0.driven))] }))
  }

  private static func section(_ clipping: [ClippingExperiment]) -> PlotPage.Section {
    func lines(_ values: KeyPath<ClippingExperiment, [Double]>) -> [LinePlot.Line] {
      clipping.enumerated().map { number, experiment in
        LinePlot.Line(
          experiment.clipNorm.map { "clipped to \($0)" } ?? "as it is", experiment[keyPath: values],
          colour: number == 0 ? 1 : 0)
      }
    }
    return PlotPage.Section(
      "With and without clipping",
      note:
        "A plain recurrent network with ρ = 2 learns by gradient descent to say at the end whether the first of "
        + "50 numbers was 1 or −1 (Pascanu, Mikolov & Bengio 2013). From one start and on the same sequences, with the "
        + "norm of the gradient clipped and without; ln 2 is a guess.",
      lines: [
        LinePlot("Loss, nats", xLabel: "steps of training", isLogarithmic: true, lines(\.losses)),
        LinePlot(
          "Norm of the gradient, before clipping", xLabel: "steps of training", isLogarithmic: true,
          lines(\.norms)),
      ])
  }

  private static func section(_ untrained: [GradientExperiments.Untrained]) -> PlotPage.Section {
    func plot(_ title: String, _ cells: [GradientExperiments.Untrained], state: Int) -> LinePlot {
      LinePlot(
        title, xLabel: "steps before the last", isLogarithmic: true,
        cells.enumerated().map {
          LinePlot.Line($0.element.cell, shown($0.element.flow.norms[state], state), colour: $0.offset)
        })
    }
    let withC = untrained.filter { $0.flow.norms.count > 1 }
    let others = untrained.filter { $0.flow.norms.count == 1 }
    let places = [1, 10, 50].filter { $0 < (untrained.first?.flow.norms[0].count ?? 0) }
    return PlotPage.Section(
      "Every cell, as training begins with it",
      note:
        "The loss is h of the last step along a random direction of length 1; inputs are standard normal. What "
        + "an LSTM's h loses, its c carries on.",
      lines: [
        plot("∂L/∂h, cells of one state", others, state: 0), plot("∂L/∂h, LSTMs", withC, state: 0),
        plot("∂L/∂c, LSTMs", withC, state: 1),
      ],
      table: PlotPage.Table(
        "Norms, so many steps back",
        ["Cell"] + places.map { "h, \($0)" } + places.map { "c, \($0)" } + [
          "h, a step", "ρ of W_hh", "largest σ",
        ],
        untrained.map { cell in
          let norms = cell.flow.norms
          return [cell.cell] + places.map { brief(norms[0][$0]) }
            + places.map { norms.count > 1 ? brief(norms[1][$0]) : "–" }
            + [
              brief(factor(cell.flow)), brief(cell.spectrum?.map(\.spectralRadius).max()),
              brief(cell.spectrum?.compactMap(\.singularValues.first).max()),
            ]
        }))
  }

  private static func eigenvalues(_ untrained: [GradientExperiments.Untrained]) -> PlotPage.Section {
    let shown = ["rnn", "irnn", "gru", "lstm"].compactMap { name in untrained.first { $0.cell == name } }
    return PlotPage.Section(
      "Eigenvalues and singular values of W_hh",
      note:
        "Of the gates that multiply h, as training begins with them. An eigenvalue outside the circle is a direction "
        + "that grows at every step, a singular value above 1 one that grows once.",
      lines: shown.compactMap { cell in
        cell.spectrum.map { singularValues("\(cell.cell): singular values", $0) }
      },
      points: shown.flatMap { cell in (cell.spectrum ?? []).map { plane("\(cell.cell), gate \($0.gate)", $0) }
      })
  }

  private static func section(
    _ gates: [RecurrentSpectrum], _ title: String, _ cell: String
  ) -> PlotPage.Section {
    PlotPage.Section(
      title, note: "Of the gates of \(cell) that multiply h.",
      lines: [singularValues("Singular values", gates)],
      points: gates.map { plane("Gate \($0.gate)", $0) },
      table: PlotPage.Table(
        "Gates", ["Gate", "ρ", "largest σ", "median σ", "smallest σ"],
        gates.map { gate in
          let sigma = gate.singularValues
          return [
            gate.gate, brief(gate.spectralRadius), brief(sigma.first), brief(sigma[sigma.count / 2]),
            brief(sigma.last),
          ]
        }))
  }

  private static func singularValues(_ title: String, _ gates: [RecurrentSpectrum]) -> LinePlot {
    LinePlot(
      title, xLabel: "number, the largest first",
      gates.enumerated().map { LinePlot.Line($0.element.gate, $0.element.singularValues, colour: $0.offset) })
  }

  private static func plane(_ title: String, _ gate: RecurrentSpectrum) -> ScatterPlot {
    ScatterPlot(
      title, summary: "\(title): eigenvalues of W_hh, spectral radius \(brief(gate.spectralRadius))",
      .complexPlane,
      gate.eigenvalues.map {
        ScatterPlot.Point(
          $0.real, $0.imaginary, label: String(format: "%.3f %+.3fi", $0.real, $0.imaginary))
      })
  }
}
