import Foundation
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// A cell as an argument of tests.
struct CellKind: Sendable, CustomTestStringConvertible {
  let cell: any RecurrentCell.Type
  var testDescription: String { cell.name }
  static let all = recurrentCells.map { CellKind(cell: $0) }
}

@Suite struct GradientFlowTests {
  /// What is moved: a unit of a state of a layer, in one sequence, after a step.
  private struct Place {
    let layer, state, row, unit, step: Int
  }

  /// Σ u·(what the top layer passes on at the last step), where one number was moved after its step.
  private static func loss<Cell>(
    _ stack: RecurrentStack<Cell>, _ sequences: PackedSequences, _ x: Tensor, _ u: Tensor,
    moving place: Place, by distance: Float
  ) -> Double {
    var input = x
    for (number, layer) in stack.layers.enumerated() {
      var trace = Recurrent<Cell>.Trace()
      let pass = layer.begin(sequences, into: &trace, on: .cpu)
      layer.inputTerms(input.matrix, into: pass.gates, on: .cpu)
      for step in sequences.steps {
        layer.step(step, of: pass, context: nil, on: .cpu)
        guard number == place.layer, step.index == place.step else { continue }
        pass.states[place.state][step.range.lowerBound + place.row][place.unit] += distance
      }
      let read = input
      var output = Tensor(uninitialized: [sequences.positions, stack.hidden])
      let memory = output.mutableMatrix()
      memory.base.update(from: trace.hiddenStates, count: output.count)
      if number > 0 && stack.isResidual { addRows(read.matrix, to: memory, on: .cpu) }
      withExtendedLifetime((read, trace)) {}
      input = output
    }
    let last = sequences.steps[sequences.steps.count - 1].range.lowerBound * stack.hidden
    return (0..<u.count).reduce(0.0) { $0 + Double(input[last + $1]) * Double(u[$1]) }
  }

  /// Of every state of every layer at every distance, against central differences.
  @Test(arguments: CellKind.all, [(1, false), (2, false), (2, true)])
  func normsAreThoseOfSlopes(kind: CellKind, layers: (count: Int, isResidual: Bool)) throws {
    func check<Cell: RecurrentCell>(_ cell: Cell.Type) throws {
      var random = Random(seed: 8)
      let (size, count, steps) = (4, 2, 4)
      let stack = RecurrentStack<Cell>(
        "cell", inputs: size, hidden: size, layers: layers.count, isResidual: layers.isResidual
      ) { smoothValue(ofCell: Cell.name, $0.path, $0.shape, limit: 0.7, using: &random) }
      let sequences = PackedSequences.packing(lengths: [Int](repeating: steps, count: count)).sequences
      let x = Tensor(uniform: [count * steps, size], limit: 1, using: &random)
      let u = Tensor(uniform: [count, size], limit: 1, using: &random)
      let flows = GradientFlow.layers(of: stack, sequences, x.matrix, on: .cpu) { _ in u }
      withExtendedLifetime(x) {}
      #expect(flows.count == layers.count)
      for (layer, flow) in flows.enumerated() {
        #expect(flow.norms.count == Cell.states && flow.norms.allSatisfy { $0.count == steps })
        for state in 0..<Cell.states {
          for distance in 0..<steps {
            var squares = 0.0
            for row in 0..<count {
              for unit in 0..<size {
                let place = Place(
                  layer: layer, state: state, row: row, unit: unit, step: steps - 1 - distance)
                func loss(_ far: Float) -> Double {
                  Self.loss(stack, sequences, x, u, moving: place, by: far)
                }
                let h: Float = 0.01
                let slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / Double(12 * h)
                squares += slope * slope
              }
            }
            let expected = (squares / Double(count)).squareRoot()
            #expect(
              abs(flow.norms[state][distance] - expected) < 1e-3 * max(expected, 0.1),
              "layer \(layer), state \(state), \(distance) steps")
          }
        }
      }
    }
    try check(kind.cell)
  }

  /// At rest every step multiplies by W_hh, so that the gradient grows or vanishes with its spectral radius; tanh takes
  /// its share of it otherwise.
  @Test func spectralRadiusDecides() throws {
    var sizes = GradientExperiments.Sizes()
    sizes.hidden = 24
    sizes.steps = 120
    sizes.sequences = 2
    let scaled = GradientExperiments.scaled(to: [0.5, 0.9, 1.1, 1.5], sizes, on: .cpu)
    #expect(scaled.map(\.radius) == [0.5, 0.9, 1.1, 1.5])
    for experiment in scaled {
      let factor = try #require(experiment.atRest.factor(over: 40..<80))
      #expect(abs(factor / experiment.radius - 1) < 0.03, "\(experiment.radius): \(factor)")
      let norms = experiment.atRest.norms[0]
      #expect(abs(norms[0] - 1) < 1e-5)
      #expect(experiment.radius < 1 ? norms[100] < 1e-3 : norms[100] > 1e3)
      #expect(experiment.driven.norms[0][100] <= norms[100] * 1.01)
    }
  }

  /// Fresh layers of all cells, and W_hh of those that have one.
  @Test func untrainedCells() throws {
    var sizes = GradientExperiments.Sizes()
    sizes.hidden = 12
    sizes.steps = 20
    sizes.sequences = 3
    func recurrentGates<Cell: RecurrentCell>(of _: Cell.Type) -> [String] {
      Cell.recurrentGates.map { Cell.gateNames[$0] }
    }
    let all = GradientExperiments.untrained(sizes, on: .cpu)
    #expect(all.map(\.cell) == recurrentCells.map { $0.name })
    for (cell, untrained) in zip(recurrentCells, all) {
      #expect(abs(untrained.flow.norms[0][0] - 1) < 1e-5)
      let gates = recurrentGates(of: cell)
      #expect(untrained.spectrum?.map(\.gate) == gates)
    }
    // Le et al. 2015: the identity.
    let irnn = try #require(all.first { $0.cell == "irnn" }?.spectrum?.first)
    #expect(irnn.eigenvalues.allSatisfy { $0 == Eigenvalue(real: 1) } && irnn.spectralRadius == 1)
    #expect(absoluteError(irnn.singularValues, [Double](repeating: 1, count: 12)) < 1e-12)
    // The LSTM's c keeps what its h loses.
    let lstm = try #require(all.first { $0.cell == "lstm" }?.flow)
    #expect(lstm.norms[1][19] > 2 * lstm.norms[0][19])
  }

  @Test func factors() throws {
    var sizes = GradientExperiments.Sizes()
    sizes.hidden = 4
    sizes.steps = 6
    let flow = try #require(GradientExperiments.scaled(to: [0.5], sizes, on: .cpu).first).atRest
    let expected = exp((log(flow.norms[0][5]) - log(flow.norms[0][2])) / 3)
    #expect(abs(try #require(flow.factor(over: 2..<6)) - expected) < 1e-12)
    #expect(flow.factor(over: 2..<7) == nil && flow.factor(over: 2..<3) == nil)
  }
}

@Suite struct RecurrentSpectrumTests {
  /// Squares of singular values add up to those of the weights, and their product is that of the eigenvalues.
  @Test func singularValuesAndEigenvalues() throws {
    var random = Random(seed: 9)
    let matrix = (0..<225).map { _ in Double(random.normal()) }
    let spectrum = try #require(RecurrentSpectrum("n", matrix, order: 15, on: .cpu))
    let squares = spectrum.singularValues.reduce(0) { $0 + $1 * $1 }
    #expect(abs(squares / matrix.reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
    let logs = (
      spectrum.singularValues.reduce(0) { $0 + log($1) },
      spectrum.eigenvalues.reduce(0) { $0 + log($1.magnitude) }
    )
    #expect(abs(logs.0 - logs.1) < 1e-9)
    // No eigenvalue is further out than the matrix stretches.
    #expect(spectrum.spectralRadius <= spectrum.singularValues[0])
  }

  @Test func whatHasNone() {
    var random = Random(seed: 10)
    let layer = Recurrent<MinGRU>("m", inputs: 3, hidden: 3) { $0.untrained(using: &random) }
    #expect(RecurrentSpectrum.all(of: layer, on: .cpu)?.isEmpty == true)
    var broken = Recurrent<RNN>("r", inputs: 3, hidden: 3) { $0.untrained(using: &random) }
    broken.hiddenWeight?.value[4] = .nan
    #expect(RecurrentSpectrum.all(of: broken, on: .cpu) == nil)
  }
}

@Suite struct ClippingExperimentTests {
  /// From one start, on the same sequences: gradients explode, and only clipped ones lead anywhere.
  @Test func clippedTrainingLearnsWhatExplodingDoesNot() {
    // By which step it has learned depends on rounding, so on the instruction set: by this one on all.
    let steps = 600
    let free = ClippingExperiment(clipNorm: nil, trainingSteps: steps, on: .cpu)
    let clipped = ClippingExperiment(clipNorm: 1, trainingSteps: steps, on: .cpu)
    #expect(free.losses[0] == clipped.losses[0] && free.norms[0] == clipped.norms[0])
    #expect((free.norms.max() ?? 0) > 100)
    let (end, clippedEnd) = (Array(free.losses.suffix(50)), Array(clipped.losses.suffix(50)))
    #expect(clippedEnd.mean < 0.1 && end.mean > 0.5, "\(end.mean), \(clippedEnd.mean)")
    let threads = Device(pool: ThreadPool(threads: 3))
    #expect(clipped == ClippingExperiment(clipNorm: 1, trainingSteps: steps, on: threads))
  }
}
