internal import Support
internal import Tensors

/// Caffe's networks with their weights, `.caffemodel` (https://github.com/BVLC/caffe, `src/caffe/proto/caffe.proto`): of a
/// `NetParameter` the layers, of today's form (`layer`) or that of 2014 (`layers`), and their blobs.
///
/// The tensors of a layer are named after it: `conv1_1/0` the weights, `conv1_1/1` the bias. Blobs from before they had a
/// shape have four extents, `[1, 1, 1, 64]` of a bias.
public enum CaffeModel {
  /// The most layers, tensors of a layer, extents of a tensor, and bytes of a name.
  private static let most = (layers: 1 << 14, blobs: 16, extents: 32, name: 256)

  /// The names and types of layers of 2014, by number, as far as they have weights or are a VGG network's.
  private static let oldTypes: [Int64: String] = [
    1: "Accuracy", 3: "Concat", 4: "Convolution", 5: "Data", 6: "Dropout", 8: "Flatten", 14: "InnerProduct",
    15: "LRN", 17: "Pooling", 18: "ReLU", 19: "Sigmoid", 20: "Softmax", 21: "SoftmaxWithLoss", 22: "Split",
    23: "TanH", 39: "Deconvolution",
  ]

  /// Reads the names and shapes of a file's tensors; their scalars later.
  /// - Throws: `WeightFileError` naming the byte, or the layer.
  public static func read(path: String) throws(WeightFileError) -> NamedTensors {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    var message = ProtobufReader(file)
    var entries: [NamedTensors.Entry] = []
    var operations: [NamedTensors.Operation] = []
    var metadata: [String: String] = [:]
    while let field = try message.next() {
      switch field.number {
      case 1: metadata["name"] = try message.text(field, "the network's name", longest: 1 << 16)
      case 2, 100:
        guard operations.count < most.layers else {
          throw message.malformed("\(most.layers) layers at most", "more", at: field.place)
        }
        let range = try message.range(field, "a layer")
        let layer = try layer(message.message(range), isOld: field.number == 2)
        entries += layer.entries
        operations.append(layer.operation)
      default: break
      }
    }
    guard !operations.isEmpty else {
      throw .malformed(path: path, place: "byte 0", expected: "layers of a Caffe network", found: "none")
    }
    return NamedTensors(
      path: path, format: .caffe, entries: entries, metadata: metadata, operations: operations)
  }

  private static func layer(
    _ message: ProtobufReader, isOld: Bool
  ) throws(WeightFileError) -> (entries: [NamedTensors.Entry], operation: NamedTensors.Operation) {
    var message = message
    let start = message.place
    let numbers = isOld ? (name: 4, type: 5, blobs: 6) : (name: 1, type: 2, blobs: 7)
    var (name, type) = ("", "")
    var blobs: [Range<Int>] = []
    while let field = try message.next() {
      switch field.number {
      case numbers.name: name = try message.text(field, "a layer's name", longest: most.name)
      case numbers.type where isOld:
        let number = try message.integer(field, "a layer's type")
        type = oldTypes[number] ?? "\(number)"
      case numbers.type: type = try message.text(field, "a layer's type", longest: most.name)
      case numbers.blobs:
        guard blobs.count < most.blobs else {
          throw message.malformed("\(most.blobs) tensors of a layer at most", "more", at: field.place)
        }
        blobs.append(try message.range(field, "a tensor"))
      case 1 where isOld:
        throw message.malformed(
          "layers as Caffe writes them since 2014",
          "older ones, which Caffe's upgrade_net_proto_binary makes anew", at: start)
      default: break
      }
    }
    var entries: [NamedTensors.Entry] = []
    for (place, range) in blobs.enumerated() {
      entries.append(try entry("\(name)/\(place)", message.message(range)))
    }
    return (entries, NamedTensors.Operation(kind: type, name: name, inputs: entries.map(\.name)))
  }

  private static let single = ProtobufNumbers(number: 5, encoding: .fixed(.float32))
  private static let double = ProtobufNumbers(number: 8, encoding: .fixed(.float64))

  /// A `BlobProto`.
  private static func entry(
    _ name: String, _ blob: ProtobufReader
  ) throws(WeightFileError) -> NamedTensors.Entry {
    var message = blob
    let start = message.place
    var (extents, old) = ([Int](), [1, 1, 1, 1])
    var (hasShape, hasOld) = (false, false)
    var (singles, doubles) = (0, 0)
    while let field = try message.next() {
      switch field.number {
      case 1...4:
        old[field.number - 1] = Int(try message.integer(field, "an extent of \(name)"))
        hasOld = true
      case 5: singles += try single.count(field, in: message, name)
      case 8: doubles += try double.count(field, in: message, name)
      case 7:
        hasShape = true
        extents = []
        var shape = message.message(try message.range(field, "the shape of \(name)"))
        while let dimension = try shape.next() {
          guard dimension.number == 1 else { continue }
          try shape.append(dimension, "extents of \(name)", to: &extents, most: most.extents)
        }
      default: break
      }
    }
    // As Caffe does: doubles where there are some.
    let (numbers, count) = doubles > 0 ? (double, doubles) : (single, singles)
    let shape = try Shape(
      checking: hasShape ? extents : hasOld ? old : [count], holds: count, name, in: message, at: start)
    return NamedTensors.Entry(
      name: name, shape: shape, typeName: doubles > 0 ? "double" : "float"
    ) { [file = blob.file, range = blob.range] () throws(WeightFileError) in
      try numbers.read(ProtobufReader(file, range), shape, "scalars of \(name)")
    }
  }
}

extension Shape {
  /// A shape from a file, of as many scalars as it holds.
  /// - Throws: `WeightFileError` where an extent is negative or there are more or fewer.
  init(
    checking extents: [Int], holds count: Int, _ name: String, in message: ProtobufReader, at place: Int
  ) throws(WeightFileError) {
    var product = 1
    for extent in extents where extent != 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflow else {
        throw message.malformed("a shape of \(name) that fits", "\(extents)", at: place)
      }
      product = next
    }
    let scalars = extents.contains(0) ? 0 : product
    guard scalars == count else {
      throw message.malformed(
        "\(scalars) scalars of \(name), whose shape is \(extents)", "\(count)", at: place)
    }
    self.init(extents)
  }
}
