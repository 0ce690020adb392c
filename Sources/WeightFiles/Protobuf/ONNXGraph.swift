internal import Support
public import Tensors

/// A network in ONNX as it is written: operations, tensors, what goes in and what comes out, by name. The operations are
/// those of opset 17.
public struct ONNXGraph: Sendable {
  /// What is known of an extent: a number, or a name for what may be any.
  public enum Extent: Sendable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case known(Int)
    case any(String)

    /// A number.
    public init(integerLiteral value: Int) { self = .known(value) }
    /// A name.
    public init(stringLiteral value: String) { self = .any(value) }
  }

  /// What an operation is told beside its inputs.
  public enum Attribute: Sendable {
    case float(Float)
    case integer(Int)
    case integers([Int])
  }

  /// The kinds of numbers of inputs and outputs, as ONNX counts them.
  public enum Scalar: Int, Sendable { case float32 = 1, int64 = 7 }

  private static let opset = 17
  private static let intermediateRepresentation = 8
  /// A message of Protocol Buffers is smaller.
  private static let mostBytes = Int(Int32.max)

  private var nodes = ProtobufWriter()
  private var tensors = ProtobufWriter()
  private var inputs = ProtobufWriter()
  private var outputs = ProtobufWriter()
  private var names: Set<String> = []
  private var count = 0
  private let name: String

  /// A graph without operations.
  public init(name: String) { self.name = name }

  /// Adds an input.
  public mutating func input(_ name: String, _ shape: [Extent], _ scalar: Scalar = .float32) {
    inputs.add(11, message: Self.value(name, scalar, shape))
  }

  /// Adds an output: what an operation gives under that name.
  public mutating func output(_ name: String, _ shape: [Extent], _ scalar: Scalar = .float32) {
    outputs.add(12, message: Self.value(name, scalar, shape))
  }

  private static func value(_ name: String, _ scalar: Scalar, _ shape: [Extent]) -> ProtobufWriter {
    var extents = ProtobufWriter()
    for extent in shape {
      var dimension = ProtobufWriter()
      switch extent {
      case .known(let count): dimension.add(1, integer: count)
      case .any(let name): dimension.add(2, text: name)
      }
      extents.add(1, message: dimension)
    }
    var tensor = ProtobufWriter()
    tensor.add(1, integer: scalar.rawValue)
    tensor.add(2, message: extents)
    var type = ProtobufWriter()
    type.add(1, message: tensor)
    var value = ProtobufWriter()
    value.add(1, text: name)
    value.add(2, message: type)
    return value
  }

  /// Adds a tensor, once, however often it is asked for.
  /// - Returns: its name.
  public mutating func tensor(_ name: String, _ tensor: @autoclosure () -> Tensor) -> String {
    guard names.insert(name).inserted else { return name }
    let tensor = tensor()
    var message = ProtobufWriter()
    for extent in tensor.shape.dimensions { message.add(1, integer: extent) }
    message.add(2, integer: Scalar.float32.rawValue)
    message.add(8, text: name)
    message.add(9, scalars: tensor)
    tensors.add(5, message: message)
    return name
  }

  /// Adds integers, a vector.
  /// - Returns: their name.
  public mutating func integers(_ values: [Int]) -> String {
    let name = "integers." + values.map(String.init).joined(separator: ".")
    guard names.insert(name).inserted else { return name }
    var message = ProtobufWriter()
    message.add(1, integer: values.count)
    message.add(2, integer: Scalar.int64.rawValue)
    message.add(7, integers: values)
    message.add(8, text: name)
    tensors.add(5, message: message)
    return name
  }

  /// Adds an operation.
  /// - Parameters:
  ///   - kind: as ONNX calls it.
  ///   - outputs: what its results are called; one name is made up unless given.
  /// - Returns: the name of its first result.
  @discardableResult
  public mutating func add(
    _ kind: String, _ inputs: [String], outputs: [String]? = nil, _ attributes: [String: Attribute] = [:]
  ) -> String {
    count += 1
    let outputs = outputs ?? ["\(kind).\(count)"]
    var node = ProtobufWriter()
    for input in inputs { node.add(1, text: input) }
    for output in outputs { node.add(2, text: output) }
    node.add(4, text: kind)
    for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
      var message = ProtobufWriter()
      message.add(1, text: name)
      switch attribute {
      case .float(let value):
        message.add(2, float: value)
        message.add(20, integer: 1)
      case .integer(let value):
        message.add(3, integer: value)
        message.add(20, integer: 2)
      case .integers(let values):
        for value in values { message.add(8, integer: value) }
        message.add(20, integer: 7)
      }
      node.add(5, message: message)
    }
    nodes.add(1, message: node)
    return outputs[0]
  }

  /// Writes the model, whole or not at all.
  /// - Throws: `FileError`, also when it is larger than such files can be, 2 GiB.
  public func write(metadata: [String: String], to path: String) throws {
    let model = model(metadata: metadata)
    guard model.count <= Self.mostBytes else {
      throw FileError(
        path: path, action: "write", reason: "\(model.count) bytes, more than an ONNX file can have")
    }
    try AtomicFile.write(to: path) { try model.write(to: &$0) }
  }

  /// The whole as a message.
  func model(metadata: [String: String]) -> ProtobufWriter {
    var graph = nodes
    graph.add(2, text: name)
    graph.append(tensors)
    graph.append(inputs)
    graph.append(outputs)
    var model = ProtobufWriter()
    model.add(1, integer: Self.intermediateRepresentation)
    model.add(2, text: "captioner")
    model.add(7, message: graph)
    var opset = ProtobufWriter()
    opset.add(1, text: "")
    opset.add(2, integer: Self.opset)
    model.add(8, message: opset)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var property = ProtobufWriter()
      property.add(1, text: key)
      property.add(2, text: value)
      model.add(14, message: property)
    }
    return model
  }
}
