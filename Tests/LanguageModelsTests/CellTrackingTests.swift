import Kernels
import Support
import Tensors
import Testing

@testable import LanguageModels

@Suite struct CellTrackingTests {
  /// Talk in quotes, in lines of unlike length.
  private static let text: [Unicode.Scalar] = {
    var random = Random(seed: 1)
    var text = ""
    while text.unicodeScalars.count < 6000 {
      let words = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        String(repeating: "a", count: Int.random(in: 1...7, using: &random))
      }
      let said = words.joined(separator: " ")
      text += Bool.random(using: &random) ? "\"\(said)\" he said.\n" : "\(said)\n"
    }
    return Array(text.unicodeScalars)
  }()

  /// Noise in `cells` cells, but for those that are given.
  private static func activations(_ cells: Int, _ planted: [Int: [Float]]) -> Tensor {
    var random = Random(seed: 2)
    var tensor = Tensor(normal: [text.count, cells], standardDeviation: 0.4, using: &random)
    let memory = tensor.mutableMatrix()
    for (cell, values) in planted {
      for row in 0..<text.count { memory[row][cell] = values[row] + 0.3 * memory[row][cell] }
    }
    return tensor
  }

  private static func values(_ name: String) throws -> [Float] {
    try #require(TextProperty.all(of: text).first { $0.name == name }).values
  }

  /// Two planted cells, one of which falls where the property rises, are found among two hundred of noise, and those come
  /// out as what they are: chosen by chance, and nothing on the second half.
  @Test func plantedCellsAreFoundAndNoiseIsNot() throws {
    let quotes = try Self.values("inside \"quotes\"")
    let line = try Self.values("position in the line")
    let planted = Self.activations(200, [17: quotes.map { 0.9 - 1.5 * $0 }, 120: line.map { $0 / 40 - 0.5 }])
    let tracked = CellTracking.all(planted.matrix, TextProperty.all(of: Self.text), on: .cpu)
    withExtendedLifetime(planted) {}
    let found = try #require(tracked.first { $0.property == "inside \"quotes\"" })
    #expect(found.cells.count == 5 && found.cells[0].number == 17 && found.cells[0].isInverted)
    #expect(found.cells[0].correlation > 0.9 && (found.cells[0].auc ?? 0) > 0.99)
    #expect(
      found.cells.dropFirst().allSatisfy { abs($0.correlation) < 0.1 && abs(($0.auc ?? 0) - 0.5) < 0.06 })
    let position = try #require(tracked.first { $0.property == "position in the line" })
    #expect(position.cells[0].number == 120 && !position.cells[0].isInverted && position.cells[0].auc == nil)
    #expect(position.cells[0].correlation > 0.85)
    // Of the rest only what goes with those two is told of high.
    let scores = tracked.map { $0.cells[0].correlation }
    #expect(scores == scores.sorted(by: >))
    #expect(tracked.prefix(2).allSatisfy { [17, 120].contains($0.cells[0].number) })
  }

  @Test func noiseAloneIsNothing() {
    let noise = Self.activations(300, [:])
    let tracked = CellTracking.all(noise.matrix, TextProperty.all(of: Self.text), on: .cpu)
    withExtendedLifetime(noise) {}
    #expect(tracked.count >= 5)
    for property in tracked {
      // Chosen as the largest of 300.
      #expect(abs(property.cells[0].chosenBy) > 0.03, "\(property)")
      #expect(abs(property.cells[0].correlation) < 0.12, "\(property)")
    }
  }

  /// The formula, and cells that never move.
  @Test func correlationsAreThoseOfTheFormula() throws {
    var random = Random(seed: 5)
    let values = (0..<400).map { _ in random.next() >> 63 == 0 ? Float(0) : 1 }
    let property = TextProperty(name: "p", values: values, isBinary: true)
    var tensor = Tensor(uniform: [400, 3], limit: 1, using: &random)
    let memory = tensor.mutableMatrix()
    for row in 0..<400 {
      memory[row][0] = 1e6
      memory[row][1] = 1000 + 2 * values[row] + memory[row][1]
    }
    let tracked = CellTracking.all(tensor.matrix, [property], best: 3, on: .cpu)
    let cells = try #require(tracked.first).cells
    #expect(cells.map(\.number) == [1, 2, 0] && cells[2].correlation == 0 && cells[2].auc == 0.5)
    let rows = 200..<400
    func correlation(_ cell: Int) -> Double {
      let (a, b) = (rows.map { Double(tensor.matrix[$0][cell]) }, rows.map { Double(values[$0]) })
      let (meanA, meanB) = (a.mean, b.mean)
      let product = zip(a, b).reduce(0.0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) }
      let squares = (
        a.reduce(0.0) { $0 + ($1 - meanA) * ($1 - meanA) }, b.reduce(0.0) { $0 + ($1 - meanB) * ($1 - meanB) }
      )
      return product / (squares.0 * squares.1).squareRoot()
    }
    #expect(abs(cells[0].correlation - correlation(1)) < 1e-6)
    #expect(abs(abs(cells[1].correlation) - abs(correlation(2))) < 1e-6)
    // Of all pairs of a 1 and a 0, those in which the activation of the 1 is higher.
    var (higher, pairs) = (0.0, 0.0)
    for one in rows where values[one] == 1 {
      for zero in rows where values[zero] == 0 {
        let (a, b) = (tensor.matrix[one][1], tensor.matrix[zero][1])
        higher += a > b ? 1 : a == b ? 0.5 : 0
        pairs += 1
      }
    }
    #expect(abs((cells[0].auc ?? 0) - higher / pairs) < 1e-9)
    withExtendedLifetime(tensor) {}
  }

  /// What a half of the text has too little of is not told.
  @Test func rarePropertiesAreLeftOut() {
    let rare = (0..<1000).map { $0 < 500 && $0 % 4 == 0 ? Float(1) : 0 }
    let tensor = Tensor(repeating: 0.5, [1000, 2])
    #expect(
      CellTracking.all(
        tensor.matrix, [TextProperty(name: "p", values: rare, isBinary: true)], on: .cpu
      ).isEmpty)
    #expect(CellTracking.all(Tensor(zeros: [0, 2]).matrix, TextProperty.all(of: []), on: .cpu).isEmpty)
  }
}

@Suite struct GateSaturationTests {
  @Test func sharesOfTime() {
    let gates = Tensor(
      [
        0.05, 0.95, 0.5,
        0.02, 0.95, 0.1,
        0.50, 0.20, 0.9,
        0.09, 0.91, 0.9,
      ], [4, 3])
    let saturation = GateSaturation("f", gates.matrix)
    // At the limits it is not saturated.
    #expect(saturation.left == [0.75, 0, 0] && saturation.right == [0, 0.75, 0])
    withExtendedLifetime(gates) {}
  }

  /// The gates that σ opens, in the cell's order.
  @Test func ofEveryGate() {
    var values = Tensor(repeating: 0.5, [4, 8])
    let memory = values.mutableMatrix()
    for row in 0..<4 {
      memory[row][2] = 0.99
      memory[row][3] = 0.01
    }
    let all = GateSaturation.all(values.matrix, of: LSTM.self)
    #expect(all.map(\.gate) == ["i", "f", "o"])
    #expect(all[1].right == [1, 0] && all[1].left == [0, 1] && all[0].left == [0, 0])
    #expect(GateSaturation.all(values.matrix, of: RNN.self).isEmpty)
    withExtendedLifetime(values) {}
  }
}
