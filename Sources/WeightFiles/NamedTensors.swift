public import Tensors

/// Tensors by name, as a file of another program holds them.
public struct NamedTensors: Sendable {
  /// One of them, its scalars read when they are asked for.
  public struct Entry: Sendable {
    /// Its name; that of the group or layer it is in before it, with the file's own separator.
    public let name: String
    /// The extents, as the file has them: nothing is transposed.
    public let shape: Shape
    /// How its scalars are stored, as the file's own program says it: `float16`, `<f4`, `torch.FloatStorage`.
    public let typeName: String
    private let reading: @Sendable () throws(WeightFileError) -> Tensor

    /// A tensor; `reading` gives one of this shape.
    public init(
      name: String, shape: Shape, typeName: String,
      reading: @escaping @Sendable () throws(WeightFileError) -> Tensor
    ) {
      self.name = name
      self.shape = shape
      self.typeName = typeName
      self.reading = reading
    }

    /// Its scalars as 32-bit floats.
    public func read() throws(WeightFileError) -> Tensor { try reading() }
  }

  /// What is computed with them, where the file says so.
  public struct Operation: Sendable {
    /// Its kind, in the file's own words: `Convolution`, `Conv`.
    public let kind: String
    /// Its name; empty where it has none.
    public let name: String
    /// The names of what it reads, tensors among them.
    public let inputs: [String]
    /// The names of what it gives.
    public let outputs: [String]
    /// Its numbers by name: `pads` [1, 1, 1, 1], `epsilon` [1e-05].
    public let numbers: [String: [Double]]

    /// An operation of a network.
    public init(
      kind: String, name: String = "", inputs: [String] = [], outputs: [String] = [],
      numbers: [String: [Double]] = [:]
    ) {
      self.kind = kind
      self.name = name
      self.inputs = inputs
      self.outputs = outputs
      self.numbers = numbers
    }
  }

  /// The path it was opened by.
  public let path: String
  /// What kind of file it is.
  public let format: WeightFormat
  /// The tensors, in the file's order.
  public let entries: [Entry]
  /// What else the file says of itself, for people.
  public let metadata: [String: String]
  /// The operations of the network in the file's order; empty where it does not tell.
  public let operations: [Operation]
  /// Lists of texts by name, such as what the rows of a tensor are called.
  public let texts: [String: [String]]
  private let places: [String: Int]

  /// A file's tensors; of two that have one name the first is found.
  public init(
    path: String, format: WeightFormat, entries: [Entry], metadata: [String: String] = [:],
    operations: [Operation] = [], texts: [String: [String]] = [:]
  ) {
    self.path = path
    self.format = format
    self.entries = entries
    self.metadata = metadata
    self.operations = operations
    self.texts = texts
    places = Dictionary(zip(entries.map(\.name), entries.indices)) { first, _ in first }
  }

  /// The tensor of that name.
  public subscript(name: String) -> Entry? { places[name].map { entries[$0] } }
}
