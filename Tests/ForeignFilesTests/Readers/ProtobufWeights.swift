import Support
import Tensors

@testable import WeightFiles

/// Readers of weights in Protocol Buffers.
extension ForeignReader {
  /// Caffe's.
  static let caffe = ForeignReader(
    name: "caffe", longest: 1024,
    words: [
      "\u{3A}\u{03}\u{0A}\u{01}", "\u{2A}\u{04}", "\u{2D}", "conv1_1", "InnerProduct", "\u{0B}\u{0C}",
      "\u{42}\u{08}",
    ],
    seeds: {
      /// A blob of a shape, or of four extents.
      func blob(_ extents: [Int], isOld: Bool, isDouble: Bool = false) -> ProtobufWriter {
        var blob = ProtobufWriter()
        let count = extents.reduce(1, *)
        if isOld {
          for (number, extent) in extents.enumerated() { blob.add(number + 1, integer: extent) }
          for place in 0..<count { blob.add(5, float: Float(place)) }
          return blob
        }
        var shape = ProtobufWriter()
        shape.add(1, integers: extents)
        blob.add(7, message: shape)
        if isDouble {
          blob.add(8, bytes: [UInt8](repeating: 0, count: 8 * count))
        } else {
          blob.add(5, scalars: Tensor(zeros: [count]))
        }
        return blob
      }
      var new = ProtobufWriter()
      new.add(1, text: "new")
      for (name, extents) in [("conv1_1", [2, 1, 3, 3]), ("fc6", [2, 2])] {
        var layer = ProtobufWriter()
        layer.add(1, text: name)
        layer.add(2, text: name == "fc6" ? "InnerProduct" : "Convolution")
        layer.add(7, message: blob(extents, isOld: false))
        layer.add(7, message: blob([2], isOld: false, isDouble: name == "fc6"))
        new.add(100, message: layer)
      }
      var old = ProtobufWriter()
      var layer = ProtobufWriter()
      layer.add(4, text: "conv1_1")
      layer.add(5, integer: 4)
      layer.add(6, message: blob([2, 1, 1, 2], isOld: true))
      old.add(2, message: layer)
      return [new.bytes, old.bytes]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      try check(outcome { try CaffeModel.read(path: scratch.path) }, scratch)
    })

  /// ONNX's.
  static let onnx = ForeignReader(
    name: "onnx", longest: 1024,
    words: [
      "Constant", "Conv", "Gemm", "transB", "pads", "location", "\u{10}\u{01}", "\u{10}\u{0A}",
      "\u{70}\u{01}",
    ],
    seeds: {
      var graph = ONNXGraph(name: "seed")
      graph.input("x", ["N", 2])
      let weight = graph.tensor("w", Tensor([1, 2, 3, 4], [2, 2]))
      graph.add("Gemm", ["x", weight], outputs: ["y"], ["transB": .integer(1), "alpha": .float(1)])
      graph.add("Reshape", ["y", graph.integers([0, 2])], outputs: ["z"], ["pads": .integers([1, 1])])
      graph.output("z", ["N", 2])
      // Scalars in lists of other kinds, a constant, and one that lies elsewhere.
      var model = ProtobufWriter()
      var others = ProtobufWriter()
      for (type, field) in [(1, 4), (10, 5), (7, 7), (11, 10)] {
        var tensor = ProtobufWriter()
        tensor.add(1, integers: [2])
        tensor.add(2, integer: type)
        tensor.add(8, text: "t\(type)")
        switch field {
        case 4: tensor.add(4, scalars: Tensor([1, 2], [2]))
        case 10: tensor.add(10, bytes: [UInt8](repeating: 1, count: 16))
        default: tensor.add(field, integers: [1, -2])
        }
        others.add(5, message: tensor)
        guard field == 4 else { continue }
        var attribute = ProtobufWriter()
        attribute.add(1, text: "value")
        attribute.add(5, message: tensor)
        var node = ProtobufWriter()
        node.add(2, text: "c")
        node.add(4, text: "Constant")
        node.add(5, message: attribute)
        others.add(1, message: node)
      }
      model.add(2, text: "seed")
      model.add(7, message: others)
      var elsewhere = ProtobufWriter()
      var tensor = ProtobufWriter()
      var entry = ProtobufWriter()
      entry.add(1, text: "location")
      entry.add(2, text: "w.bin")
      tensor.add(2, integer: 1)
      tensor.add(13, message: entry)
      tensor.add(14, integer: 1)
      var second = ProtobufWriter()
      second.add(5, message: tensor)
      elsewhere.add(7, message: second)
      return [graph.model(metadata: ["key": "value"]).bytes, model.bytes, elsewhere.bytes]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      try check(outcome { try ONNXModel.read(path: scratch.path) }, scratch)
    })

  /// Every tensor is read, or the error names the file.
  private static func check(_ told: (value: NamedTensors?, error: String), _ scratch: ScratchFile) throws {
    guard let file = told.value else {
      guard told.error.hasPrefix(scratch.path) else { throw Wrong("no file in: \(told.error)") }
      return
    }
    for entry in file.entries {
      guard try entry.read().shape == entry.shape else { throw Wrong("another shape than \(entry.shape)") }
    }
  }
}
