import Kernels
import Layers
import Tensors
import Testing

@testable import Training

@Suite struct WeightAverageTests {
  private func layer(_ scalars: [Float]) -> Linear {
    Linear("x", inputs: 2, outputs: 1) { parameter in
      parameter.path == "x.weight" ? Tensor(scalars, parameter.shape) : Tensor(zeros: parameter.shape)
    }
  }

  @Test func followsTheFormula() throws {
    var module = layer([1, -2])
    var average = WeightAverage(of: module, decay: 0.6)
    var expected: [Double] = [1, -2]
    for step in 1...12 {
      let weights = [Float(step), Float(step * step)]
      module = layer(weights)
      average.update(with: &module, step: step, on: .cpu)
      let kept = min(0.6, Double(1 + step) / Double(10 + step))
      for i in 0..<2 { expected[i] = kept * expected[i] + (1 - kept) * Double(weights[i]) }
    }
    let found = average.applied(to: module).weight.value.scalars
    for i in 0..<2 { #expect(abs(Double(found[i]) - expected[i]) < 1e-5 * abs(expected[i])) }
    // The module itself goes on from where it is.
    #expect(module.weight.value.scalars == [12, 144])
  }

  @Test func decayZeroIsNoAverage() {
    var module = layer([1, 2])
    var average = WeightAverage(of: module, decay: 0)
    module = layer([3, 4])
    average.update(with: &module, step: 1, on: .cpu)
    #expect(average.values.isEmpty && average.applied(to: module).weight.value.scalars == [3, 4])
  }

  @Test func goesOnWhereItWasRestored() {
    var module = layer([1, 2])
    var average = WeightAverage(of: module, decay: 0.9)
    average.update(with: &module, step: 3, on: .cpu)
    var other = WeightAverage(of: layer([7, 7]), decay: 0.9)
    other.restore(average.values)
    module = layer([5, 6])
    average.update(with: &module, step: 4, on: .cpu)
    other.update(with: &module, step: 4, on: .cpu)
    #expect(average.values == other.values)
  }
}
