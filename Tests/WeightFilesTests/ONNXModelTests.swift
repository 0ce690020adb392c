import Tensors
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct ONNXModelTests {
  /// What the onnx package wrote, of every type, in raw bytes and in lists.
  @Test func everyType() throws {
    let file = try #require(try NamedTensors.read(path: fixture("types.onnx")))
    #expect(file.format == .onnx && file.metadata["opset"] == "17" && file.metadata["producer"] == "golden")
    #expect(file.metadata["made of"] == "numbers")
    for entry in file.entries where entry.name.hasSuffix(".raw") || entry.name.hasSuffix(".list") {
      let name = entry.name.prefix { $0 != "." }
      let expected: [Float] =
        switch name {
        case "bool": [1, 0, 1]
        case let name where name.hasPrefix("u"): [1, 2, 3]
        case let name where name.hasPrefix("i"): [1, -2, 3]
        default: [0.5, -1, 1.5]
        }
      #expect(entry.shape == [3], "\(entry.name)")
      #expect(try entry.read().scalars == expected, "\(entry.name)")
    }
    #expect(file.entries.count == 23 && file["texts"] == nil)
    #expect(file["scalar"]?.shape == [] && file["constant"]?.shape == [2, 1])
    #expect(try file["scalar"]?.read().scalars == [2.5])
    #expect(try file["constant"]?.read().scalars == [7, 8])
    #expect(file["float64.raw"]?.typeName == "double")
  }

  @Test func nodes() throws {
    let operations = try ONNXModel.read(path: fixture("types.onnx")).operations
    #expect(operations.map(\.kind) == ["Constant", "Conv", "Elu"])
    let convolution = operations[1]
    #expect(convolution.name == "first" && convolution.inputs == ["x", "float32.raw"])
    #expect(convolution.outputs == ["y"])
    #expect(convolution.numbers == ["pads": [1, 1, 1, 1], "group": [1]])
    #expect(operations[2].numbers == ["alpha": [0.5]])
  }

  /// Weights in another file are refused by the names of tensor and file.
  @Test func weightsElsewhereAreRefused() throws {
    let error = #expect(throws: WeightFileError.self) {
      try ONNXModel.read(path: fixture("external.onnx"))
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("external.onnx: w: its scalars are in weights.bin"))
  }

  /// A graph with one tensor whose shape is not its scalars', and two graphs.
  @Test(
    arguments: [
      ([], "with a graph"),
      ([0x3A, 0x00, 0x3A, 0x00], "one graph"),
      ([0x3A, 0x08, 0x2A, 0x06, 0x08, 0x03, 0x10, 0x01, 0x4A, 0x00], "3 scalars"),
      ([0x3A, 0x0B, 0x2A, 0x09, 0x08, 0x01, 0x10, 0x01, 0x4A, 0x03, 1, 2, 3], "4 bytes each"),
      ([0x3A, 0x04, 0x2A, 0x02, 0x08], "byte"),
    ] as [([UInt8], String)]) func othersAreRefused(bytes: [UInt8], says: String) throws
  {
    try withMessage(bytes) { message in
      let error = #expect(throws: WeightFileError.self) { try ONNXModel.read(path: message.path) }
      #expect(error.map { "\($0)" }?.contains(says) == true, "\(String(describing: error))")
    }
  }
}
