internal import Support
public import Tensors

/// What a pickle holds, as data: nothing of it was ever run. Parts that the file shares are shared here too, and no value
/// holds itself.
public indirect enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  /// A float; also an integer of more than 64 bits.
  case double(Double)
  /// Text; also a `str` of Python 2, which is bytes, that is UTF-8.
  case string(String)
  case bytes([UInt8])
  /// A list or a set.
  case list([PickleValue])
  case tuple([PickleValue])
  /// A `dict` or one of its kind, in the file's order; a key may be there twice, and then the last counts.
  case dictionary([(key: PickleValue, value: PickleValue)])
  /// A class or function that is only named, or an object of a class that has no value of its own here.
  case object(PickleObject)
  /// An array of NumPy or a tensor of PyTorch.
  case tensor(PickleTensor)

  /// The bool.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The integer, or 0 and 1 for bools as in Python.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }
  /// The number, whichever kind it is of.
  public var double: Double? { if case .double(let value) = self { value } else { integer.map(Double.init) } }
  /// The text.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The items of a list, a tuple or a set.
  public var items: [PickleValue]? {
    switch self {
    case .list(let items), .tuple(let items): items
    default: nil
    }
  }
  /// The pairs of a dictionary, or the attributes of an object such as argparse's `Namespace`.
  public var pairs: [(key: PickleValue, value: PickleValue)]? {
    switch self {
    case .dictionary(let pairs): pairs
    case .object(let object): object.state.pairs
    default: nil
    }
  }
  /// The tensor.
  public var tensor: PickleTensor? { if case .tensor(let tensor) = self { tensor } else { nil } }

  /// A dictionary's value, or an object's attribute, by name. Looks at all of them: for many, go through `pairs` once.
  public subscript(name: String) -> PickleValue? { pairs?.last { $0.key.string == name }?.value }
}

/// An object of a pickle: what it was to be made of.
public struct PickleObject: Sendable {
  /// Its class, such as `argparse.Namespace`.
  public let className: String
  /// What the class was to be called with.
  public let arguments: [PickleValue]
  /// What it was to be filled with, usually a dictionary of its attributes.
  public let state: PickleValue

  /// An object; a class itself has neither arguments nor state.
  public init(className: String, arguments: [PickleValue] = [], state: PickleValue = .none) {
    self.className = className
    self.arguments = arguments
    self.state = state
  }
}

/// A tensor of a pickle, its numbers read when they are asked for.
public struct PickleTensor: Sendable {
  /// As the pickle's program calls the numbers' type: `<f4`, `torch.FloatStorage`.
  public let typeName: String
  let numbers: StridedNumbers

  /// The extents.
  public var shape: Shape { numbers.shape }

  /// The numbers as 32-bit floats, in row-major order.
  public func read() -> Tensor { numbers.read() }
}

extension PickleValue {
  /// Reads a pickle of any protocol, such as scripts of Python leave, or what PyTorch saved.
  /// - Parameter objects: classes whose objects are wanted as `.object` beside those that are known, `models.Decoder`.
  /// - Throws: `WeightFileError`; `.refused` when the file asks for any other class or function.
  public static func read(path: String, objects: Set<String> = []) throws(WeightFileError) -> PickleValue {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    if file.bytes.starts(with: [0x50, 0x4B]) {
      return try PyTorchArchive(path: path, size: file.bytes.count).value(objects)
    }
    if WeightFormat.isPyTorchStream(ArraySlice(file.bytes.prefix(64))) {
      return try PyTorchStream(file).value(objects)
    }
    var reader = PickleReader(ByteReader(file), objects: objects)
    return try reader.read()
  }
}
