internal import Support
internal import Tensors

/// Networks of the Open Neural Network Exchange (https://github.com/onnx/onnx, `onnx/onnx.proto`): of a `ModelProto` the
/// graph's nodes, its initializers and what `Constant` nodes hold.
///
/// Weights that lie in other files are refused by name.
public enum ONNXModel {
  /// The most nodes, initializers, inputs or outputs of a node, extents, numbers of an attribute, and bytes of a name.
  private static let most = (
    nodes: 1 << 16, tensors: 1 << 16, edges: 64, attributes: 32, extents: 32, numbers: 256, name: 256
  )

  /// Reads the names and shapes of a file's tensors, and its nodes; scalars later.
  /// - Throws: `WeightFileError` naming the byte.
  public static func read(path: String) throws(WeightFileError) -> NamedTensors {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    var message = ProtobufReader(file)
    var metadata: [String: String] = [:]
    var graph: Graph?
    while let field = try message.next() {
      switch field.number {
      case 1: metadata["ir_version"] = "\(try message.integer(field, "ir_version"))"
      case 2: metadata["producer"] = try message.text(field, "the producer's name", longest: 1 << 10)
      case 3: metadata["producer_version"] = try message.text(field, "its version", longest: 1 << 10)
      case 7:
        guard graph == nil else { throw message.malformed("one graph", "another", at: field.place) }
        graph = try Graph(message.message(try message.range(field, "the graph")))
      case 8:
        var set = message.message(try message.range(field, "an opset"))
        var (domain, version) = ("", Int64(0))
        while let field = try set.next() {
          if field.number == 1 { domain = try set.text(field, "the opset's domain", longest: most.name) }
          if field.number == 2 { version = try set.integer(field, "the opset's version") }
        }
        if domain.isEmpty || domain == "ai.onnx" { metadata["opset"] = "\(version)" }
      case 14:
        var property = message.message(try message.range(field, "a property"))
        var (key, value) = ("", "")
        while let field = try property.next() {
          if field.number == 1 { key = try property.text(field, "a property's name", longest: most.name) }
          if field.number == 2 { value = try property.text(field, "property \(key)", longest: 1 << 24) }
        }
        metadata[key] = value
      default: break
      }
    }
    guard let graph else {
      throw .malformed(path: path, place: "byte 0", expected: "an ONNX model with a graph", found: "none")
    }
    return NamedTensors(
      path: path, format: .onnx, entries: graph.entries, metadata: metadata, operations: graph.operations)
  }

  /// A `GraphProto`.
  private struct Graph {
    var entries: [NamedTensors.Entry] = []
    var operations: [NamedTensors.Operation] = []

    init(_ message: ProtobufReader) throws(WeightFileError) {
      var message = message
      while let field = try message.next() {
        switch field.number {
        case 1:
          guard operations.count < most.nodes else {
            throw message.malformed("\(most.nodes) nodes at most", "more", at: field.place)
          }
          try add(node: message.message(try message.range(field, "a node")))
        case 5:
          guard entries.count < most.tensors else {
            throw message.malformed("\(most.tensors) initializers at most", "more", at: field.place)
          }
          let tensor = message.message(try message.range(field, "an initializer"))
          if let entry = try ONNXModel.entry(tensor, named: nil) { entries.append(entry) }
        default: break
        }
      }
    }

    /// A `NodeProto`; the tensor of a `Constant` becomes an entry under the name of its output.
    private mutating func add(node: ProtobufReader) throws(WeightFileError) {
      var node = node
      var (name, kind) = ("", "")
      var (inputs, outputs) = ([String](), [String]())
      var numbers: [String: [Double]] = [:]
      var tensor: ProtobufReader?
      func edge(_ field: ProtobufReader.Field, _ so: [String]) throws(WeightFileError) -> String {
        guard so.count < most.edges else {
          throw node.malformed("\(most.edges) inputs or outputs of a node at most", "more", at: field.place)
        }
        return try node.text(field, "a name", longest: most.name)
      }
      while let field = try node.next() {
        switch field.number {
        case 1: inputs.append(try edge(field, inputs))
        case 2: outputs.append(try edge(field, outputs))
        case 3: name = try node.text(field, "a node's name", longest: 1 << 12)
        case 4: kind = try node.text(field, "a node's operation", longest: most.name)
        case 5:
          let attribute = try Attribute(node.message(try node.range(field, "an attribute")))
          if let held = attribute.tensor { tensor = held }
          guard !attribute.numbers.isEmpty else { continue }
          guard numbers.count < most.attributes else {
            throw node.malformed("\(most.attributes) attributes of a node at most", "more", at: field.place)
          }
          numbers[attribute.name] = attribute.numbers
        default: break
        }
      }
      if kind == "Constant", let tensor, let output = outputs.first,
        let entry = try ONNXModel.entry(tensor, named: output)
      {
        entries.append(entry)
      }
      operations.append(
        NamedTensors.Operation(kind: kind, name: name, inputs: inputs, outputs: outputs, numbers: numbers))
    }
  }

  /// An `AttributeProto`: a node's numbers, or its tensor.
  private struct Attribute {
    var name = ""
    var numbers: [Double] = []
    var tensor: ProtobufReader?

    init(_ message: ProtobufReader) throws(WeightFileError) {
      var message = message
      var (single, integer, list, integers) = (Double?.none, Double?.none, [Double](), [Int]())
      // Older files do not say which of its fields an attribute is made of.
      while let field = try message.next() {
        switch (field.number, field.value) {
        case (1, _): name = try message.text(field, "an attribute's name", longest: most.name)
        case (2, .fixed32(let bits)): single = Double(Float(bitPattern: bits))
        case (3, _): integer = Double(try message.integer(field, "an attribute"))
        case (5, _): tensor = message.message(try message.range(field, "an attribute's tensor"))
        case (7, .fixed32(let bits)):
          guard list.count < most.numbers else {
            throw message.malformed("\(most.numbers) numbers at most", "more", at: field.place)
          }
          list.append(Double(Float(bitPattern: bits)))
        case (8, _):
          try message.append(field, "an attribute's numbers", to: &integers, most: most.numbers)
        default: break
        }
      }
      numbers = !integers.isEmpty ? integers.map(Double.init) : !list.isEmpty ? list : []
      if numbers.isEmpty { numbers = [single ?? integer].compactMap(\.self) }
    }
  }

  /// A type of scalars by its number: what they are called, how they lie in `raw_data`, and where else they may be.
  private static let types: [Int64: (name: String, raw: ScalarType, other: ProtobufNumbers)] = [
    1: ("float", .float32, ProtobufNumbers(number: 4, encoding: .fixed(.float32))),
    2: ("uint8", .uint8, ProtobufNumbers(number: 5, encoding: .varint(.uint8))),
    3: ("int8", .int8, ProtobufNumbers(number: 5, encoding: .varint(.int8))),
    4: ("uint16", .uint16, ProtobufNumbers(number: 5, encoding: .varint(.uint16))),
    5: ("int16", .int16, ProtobufNumbers(number: 5, encoding: .varint(.int16))),
    6: ("int32", .int32, ProtobufNumbers(number: 5, encoding: .varint(.int32))),
    7: ("int64", .int64, ProtobufNumbers(number: 7, encoding: .varint(.int64))),
    9: ("bool", .uint8, ProtobufNumbers(number: 5, encoding: .varint(.uint8))),
    10: ("float16", .float16, ProtobufNumbers(number: 5, encoding: .varint(.float16))),
    11: ("double", .float64, ProtobufNumbers(number: 10, encoding: .fixed(.float64))),
    16: ("bfloat16", .bfloat16, ProtobufNumbers(number: 5, encoding: .varint(.bfloat16))),
  ]

  /// A `TensorProto`; nil: its scalars are no numbers, such as texts.
  private static func entry(
    _ tensor: ProtobufReader, named given: String?
  ) throws(WeightFileError) -> NamedTensors.Entry? {
    var message = tensor
    let start = message.place
    var name = given ?? ""
    var extents: [Int] = []
    var type: Int64 = 0
    var raw: Range<Int>?
    var isElsewhere = false
    var elsewhere = "another file"
    while let field = try message.next() {
      switch field.number {
      case 1: try message.append(field, "extents", to: &extents, most: most.extents)
      case 2: type = try message.integer(field, "a tensor's type")
      case 8 where given == nil: name = try message.text(field, "a tensor's name", longest: most.name)
      case 9: raw = try message.range(field, "a tensor's scalars")
      case 13:
        var entry = message.message(try message.range(field, "where a tensor is"))
        var (key, value) = ("", "")
        while let field = try entry.next() {
          if field.number == 1 { key = try entry.text(field, "a name", longest: most.name) }
          if field.number == 2 { value = try entry.text(field, "where a tensor is", longest: 1 << 12) }
        }
        if key == "location" { elsewhere = value }
      case 14: isElsewhere = try message.integer(field, "where a tensor is") == 1
      default: break
      }
    }
    guard !isElsewhere else {
      throw .refused(
        path: message.path, place: name,
        reason: "its scalars are in \(elsewhere); expected a model whose weights are in the file itself")
    }
    guard let (typeName, scalar, numbers) = types[type] else { return nil }
    var count = 0
    if let raw {
      guard raw.count % scalar.size == 0 else {
        throw message.malformed(
          "scalars of \(name) of \(scalar.size) bytes each", "\(raw.count) bytes", at: raw.lowerBound)
      }
      count = raw.count / scalar.size
    } else {
      var message = tensor
      while let field = try message.next() {
        if field.number == numbers.number { count += try numbers.count(field, in: message, name) }
      }
    }
    let shape = try Shape(checking: extents, holds: count, name, in: message, at: start)
    return NamedTensors.Entry(
      name: name, shape: shape, typeName: typeName
    ) { [file = tensor.file, range = tensor.range, raw, name] () throws(WeightFileError) in
      guard let raw else {
        return try numbers.read(ProtobufReader(file, range), shape, "scalars of \(name)")
      }
      return scalar.tensor(file.bytes, from: raw.lowerBound, shape: shape)
    }
  }
}
