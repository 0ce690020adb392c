public import Imaging
public import Tensors
internal import WeightFiles

/// What another program's file becomes as one of ours.
public struct Conversion: Sendable {
  /// What it is, for people: `VGG-16, head full`.
  public var title: String
  /// The weights under our names.
  public var tensors: [(name: String, tensor: Tensor)]
  /// What the file will say of itself.
  public var metadata: [String: String]
  /// Names of the file's tensors that have no place in ours.
  public var leftOver: [String]
  /// What had to be supposed, a line each.
  public var notes: [String]

  /// What a converter made.
  init(
    title: String, tensors: [(name: String, tensor: Tensor)], metadata: [String: String], leftOver: [String],
    notes: [String] = []
  ) {
    self.title = title
    self.tensors = tensors
    self.metadata = metadata
    self.leftOver = leftOver
    self.notes = notes
  }

  /// What the caller knows of a file.
  public struct Options: Sendable {
    /// How pixels become input; nil: as the file says.
    public var preprocessing: Preprocessing?
    /// What lies beside a captioner's file; nil: nothing.
    public var infos: String?
    /// The encoder of a captioner that has none of its own; nil: there is none.
    public var encoder: EncoderSource?

    /// What is known.
    public init(preprocessing: Preprocessing? = nil, infos: String? = nil, encoder: EncoderSource? = nil) {
      self.preprocessing = preprocessing
      self.infos = infos
      self.encoder = encoder
    }
  }

  /// What files may become, tried in turn; the last says what is wrong.
  static let converters: [any Converter] = [CaptionerConverter(), EncoderConverter()]

  /// Reads a file of any kind that is known.
  /// - Throws: `ModelError`.
  public init(ofFileAt path: String, _ options: Options = Options()) throws(ModelError) {
    for converter in Self.converters {
      guard let made = try converter.conversion(ofFileAt: path, options) else { continue }
      self = made
      return
    }
    throw .unsupported(path: path, expected: "weights that are known", found: "others")
  }

  /// Writes it as safetensors, whole or not at all.
  /// - Parameter half: matrices and convolutions in 16-bit floats; biases and statistics keep all digits.
  /// - Throws: `ModelError`, also where a number is too large for 16 bits.
  public func write(to path: String, half: Bool) throws(ModelError) {
    var items: [SafetensorsWriter.Item] = []
    for (name, tensor) in tensors {
      let type: StoredType = half && tensor.shape.rank > 1 ? .float16 : .float32
      if type == .float16 {
        let largest = tensor.withUnsafeBufferPointer { $0.reduce(0) { max($0, abs($1)) } }
        guard largest <= Float(Float16.greatestFiniteMagnitude) else {
          throw .unsupported(
            path: path, expected: "\(name) within ±65504, as 16-bit floats are", found: "\(largest)")
        }
      }
      items.append(.init(name: name, tensor: tensor, type: type))
    }
    do { try SafetensorsWriter.write(items, metadata: metadata, to: path) } catch { throw .weights(error) }
  }
}

/// A way of making another program's file ours.
protocol Converter: Sendable {
  /// What the file becomes; nil: it is another kind of thing.
  /// - Throws: `ModelError` where it is of this kind and can't be read.
  func conversion(ofFileAt path: String, _ options: Conversion.Options) throws(ModelError) -> Conversion?
}

/// Weights of a VGG network under torchvision's names, with the preprocessing in the metadata.
struct EncoderConverter: Converter {
  func conversion(ofFileAt path: String, _ options: Conversion.Options) throws(ModelError) -> Conversion? {
    if let file = try? SafetensorsFile(path: path), file.metadata["format"] == "captioner" {
      throw .unsupported(path: path, expected: "another program's weights", found: "a captioner model")
    }
    let encoder = try ImportedEncoder(path: path)
    let network = try encoder.network(path: path)
    let preprocessing = options.preprocessing ?? encoder.preprocessing
    return Conversion(
      title: network.title, tensors: encoder.tensors, metadata: preprocessing?.weightsMetadata ?? [:],
      leftOver: encoder.leftOver,
      notes: preprocessing != nil
        ? []
        : [
          "\(path) does not say how pixels become input; torchvision's way will be taken, unless --preprocessing "
            + "caffe says otherwise"
        ])
  }
}

extension VGGArchitecture {
  /// The network in a few words: `VGG-16, head full`.
  public var title: String { "\(name), \(head == .none ? "no FC layers" : "head \(head.rawValue)")" }
}
