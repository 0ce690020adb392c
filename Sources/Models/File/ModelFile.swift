internal import Decoding
public import Kernels
internal import Layers
public import Tensors

/// A model as one safetensors file: description in the metadata, `encoder.features.*` the convolutions,
/// `encoder.classifier.*` the head, `decoder.*` the decoder.
public enum ModelFile {
  /// Where the convolutions are in a model file.
  public static let encoderPrefix = "encoder."

  /// Reads the network of a model file.
  /// - Throws: `ModelError` naming the tensor that is missing, of another shape, or not finite.
  public static func network(
    _ file: SafetensorsFile, _ description: ModelDescription, on device: Device = .cpu
  ) throws(ModelError) -> CaptionNetwork {
    try CaptionNetwork(description) { (parameter) throws(ModelError) in
      try Self.value(parameter, file, device)
    }
  }

  /// Reads the decoder alone.
  /// - Throws: as `network`.
  static func decoder(
    _ file: SafetensorsFile, _ description: ModelDescription, on device: Device
  ) throws(ModelError) -> any SequenceDecoder {
    try makeDecoder(description.decoder) { (parameter) throws(ModelError) in
      try Self.value(parameter, file, device)
    }
  }

  static func value(
    _ parameter: ParameterSpecification, _ file: SafetensorsFile, _ device: Device
  ) throws(ModelError) -> Tensor {
    let stored: StoredTensor
    do { stored = try file.stored(parameter.path, shape: parameter.shape) } catch { throw .weights(error) }
    // A large one is W_ih, which multiplies v once a photo: as it lies in the file it costs no memory.
    if stored.type != .float32, stored.shape.rank == 2, stored.shape.count >= 1 << 22 {
      guard StoredLinear(stored).isFinite(on: device) else {
        throw .notFinite(path: file.path, what: parameter.path)
      }
      return Tensor(deferring: stored)
    }
    let value = stored.read()
    guard sumOfSquares(value.pointer, count: value.count, on: device).isFinite else {
      throw .notFinite(path: file.path, what: parameter.path)
    }
    return value
  }

  /// Writes a model: the network's weights, and the convolutions as they are in `encoder`, batch normalisation beside them.
  /// - Parameters:
  ///   - tuned: convolutions that have learned, instead of those in `encoder`.
  ///   - type: how scalars are stored; convolutions keep half precision if they have it.
  public static func write(
    _ description: ModelDescription, _ network: CaptionNetwork, convolutionsOf encoder: SafetensorsFile,
    prefix: String, tuned: TrainableConvolutions? = nil, type: StoredType, to path: String
  ) throws {
    var items: [SafetensorsWriter.Item] = []
    let learned = Dictionary(uniqueKeysWithValues: (tuned?.parameters ?? []).map { ($0.path, $0.value) })
    for (name, _) in description.encoder.convolutions.flatMap({ description.encoder.tensors(of: $0) }) {
      let half = encoder.entries[prefix + name]?.typeName == StoredType.float16.rawValue
      // Running variances may be larger than half precision goes.
      let isStatistic = name.contains(".running_")
      items.append(
        .init(
          name: encoderPrefix + name,
          tensor: try learned[encoderPrefix + name] ?? encoder.tensor(named: prefix + name),
          type: isStatistic ? .float32 : half ? .float16 : type))
    }
    items += network.parameters.map {
      // What was measured may be large, and is small to store.
      .init(name: $0.path, tensor: $0.value, type: $0.learns ? type : .float32)
    }
    try SafetensorsWriter.write(items, metadata: description.metadata(), to: path)
  }

  /// Writes a copy of a model file that knows its confidence; the weights stay as they are, byte for byte.
  /// - Throws: `ModelError` when the file is no model; `SafetensorsError.file`.
  public static func calibrate(_ path: String, _ confidence: Confidence, to destination: String) throws {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch { throw ModelError.weights(error) }
    var description = try ModelDescription(of: file)
    description.confidence = confidence
    try file.copy(to: destination, metadata: file.metadata.merging(try description.metadata()) { $1 })
  }
}
