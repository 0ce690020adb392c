import Kernels
import Support
import Tensors
import TestSupport
import Testing

@testable import Layers

@Suite struct StoredLinearTests {
  /// Against the same weights as floats: one row and several, sizes that no vector or block divides.
  @Test(arguments: [StoredType.float32, .float16, .bfloat16], [(1, 7, 3), (1, 70, 66), (5, 2051, 130)])
  func equalsTheProductOfFloats(type: StoredType, sizes: (rows: Int, inputs: Int, outputs: Int)) throws {
    let (rows, inputs, outputs) = sizes
    var random = Random(seed: 5)
    let weights = Tensor(uniform: [outputs, inputs], limit: 1, using: &random)
    let x = Tensor(uniform: [rows, inputs], limit: 1, using: &random)
    try withTemporaryFolder { folder in
      let path = folder + "/w.safetensors"
      try SafetensorsWriter.write([.init(name: "w", tensor: weights, type: type)], metadata: [:], to: path)
      let file = try SafetensorsFile(path: path)
      let layer = StoredLinear(try file.stored("w"))
      #expect(layer.isFinite(on: .cpu) && layer.inputs == inputs && layer.outputs == outputs)
      var y = Tensor(repeating: .nan, [rows, outputs])
      layer(x.matrix, into: y.mutableMatrix(), on: .cpu)
      let read = try file.tensor(named: "w")
      var expected = Tensor(zeros: [rows, outputs])
      for row in 0..<rows {
        for output in 0..<outputs {
          expected[row * outputs + output] = Float(
            (0..<inputs).reduce(0.0) {
              $0 + Double(x[row * inputs + $1]) * Double(read[output * inputs + $1])
            })
        }
      }
      #expect(relativeError(y.scalars, expected.scalars) < 1e-6)
    }
  }

  /// The same bits whatever the number of threads, on every instruction set.
  @Test(arguments: InstructionSet.available.map(\.description)) func threadsChangeNothing(name: String) throws
  {
    let instructions = try #require(InstructionSet(named: name))
    let (outputs, inputs) = (331, 77)
    var random = Random(seed: 6)
    let halves = (0..<outputs * inputs).map { _ in Float16(random.uniform() - 0.5).bitPattern }
    let x = Tensor(uniform: [inputs], limit: 1, using: &random)
    let results = [1, 3].map { threads in
      var y = Tensor(repeating: .nan, [outputs])
      halfProduct(
        outputs: outputs, inputs: inputs, halves, x.pointer, into: y.mutablePointer(),
        on: Device(pool: ThreadPool(threads: threads), instructions: instructions))
      return y.scalars
    }
    #expect(results[0] == results[1])
    let expected = (0..<outputs).map { row in
      Float(
        (0..<inputs).reduce(0.0) {
          $0 + Double(Float16(bitPattern: halves[row * inputs + $1])) * Double(x[$1])
        })
    }
    #expect(relativeError(results[0], expected) < 1e-6)
  }

  @Test(arguments: [Float.nan, .infinity]) func tellsWhatIsNotANumber(value: Float) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/w.safetensors"
      var weights = Tensor(zeros: [300, 500])
      weights[149_999] = value
      try SafetensorsWriter.write([.init(name: "w", tensor: weights)], metadata: [:], to: path)
      #expect(!StoredLinear(try SafetensorsFile(path: path).stored("w")).isFinite(on: .cpu))
    }
  }
}
