public import Datasets
public import Imaging
public import Tensors
internal import WeightFiles

/// An encoder as a run or a command names it: a weights file of any kind and naming that is known, or a captioner model.
public struct EncoderSource: Sendable {
  /// The file, or what another program's file was read as.
  public let file: SafetensorsFile
  /// `encoder.` in a captioner model, else nothing.
  public let prefix: String
  /// The network as the file has it.
  public let architecture: VGGArchitecture
  /// How pixels become its input.
  public let preprocessing: Preprocessing

  /// The features that are there in the place of an encoder; nil: there is one.
  public let features: FeatureFiles?

  /// Whether it is a captioner model, with a decoder of its own.
  public var isModel: Bool { !prefix.isEmpty }

  /// Opens the file.
  /// - Parameters:
  ///   - name: `auto` takes what the file says, else `otherwise`; `torchvision`; `caffe`.
  ///   - otherwise: torchvision's unless given.
  /// - Throws: `SafetensorsError`, `ModelError`.
  public init(
    path: String, preprocessing name: String,
    otherwise: @autoclosure () throws -> Preprocessing = .torchvision
  ) throws {
    file = try Self.file(path)
    features = nil
    var stored: Preprocessing?
    if file.metadata["format"] == "captioner" {
      prefix = ModelFile.encoderPrefix
      let model = try ModelDescription(of: file)
      if let given = model.encoder.given {
        throw ModelError.unsupported(
          path: path, expected: "convolutions", found: "a model of \(given.text), which has none")
      }
      stored = model.preprocessing
    } else {
      prefix = ""
      do { stored = try Preprocessing(weightsMetadata: file.metadata) } catch {
        throw ModelError.unsupported(
          path: path, expected: "\(error.field) \(error.expected) in the metadata", found: error.found)
      }
    }
    architecture = try VGGArchitecture(weights: file, prefix: prefix)
    switch name {
    case "torchvision": preprocessing = .torchvision
    case "caffe": preprocessing = .caffe
    default: preprocessing = try stored ?? otherwise()
    }
  }

  /// Features in the place of an encoder.
  /// - Parameter name: what they are called.
  /// - Throws: `SafetensorsError`; `ModelError` when they are larger than a model takes.
  public init(_ features: FeatureFiles, name: String) throws {
    try self.init(GivenFeatures(features.shape, name: name), features, path: features.name)
  }

  /// Features in the place of an encoder, of which only the sizes are known yet.
  /// - Parameters:
  ///   - shape: [D], [R, D] or [h, w, D].
  ///   - path: what wants them, for messages.
  /// - Throws: `SafetensorsError`; `ModelError` when they are larger than a model takes.
  public init(featuresOf shape: Shape, name: String = "", path: String) throws {
    try self.init(GivenFeatures(shape, name: name), nil, path: path)
  }

  private init(_ given: GivenFeatures, _ features: FeatureFiles?, path: String) throws {
    self.features = features
    file = try SafetensorsFile(inMemory: [], metadata: [:], path: path)
    prefix = ""
    preprocessing = .torchvision
    guard let found = VGGArchitecture(given: given, head: .none, featureSize: given.width) else {
      throw ModelError.unsupported(path: path, expected: "features that fit a model", found: given.sizesText)
    }
    architecture = found
  }

  /// Whether a file is of a kind of another program: not safetensors, nor unknown.
  /// - Throws: `SafetensorsError.file`.
  public static func isForeign(_ path: String) throws(SafetensorsError) -> Bool {
    do {
      let format = try WeightFormat.of(path: path)
      return format != nil && format != .safetensors
    } catch { throw .file(error) }
  }

  /// A file with torchvision's names as it is, any other as what was read of it.
  private static func file(_ path: String) throws -> SafetensorsFile {
    if try isForeign(path) { return try ImportedEncoder(path: path).file(path: path) }
    let file = try SafetensorsFile(path: path)
    if file.metadata["format"] == "captioner" { return file }
    if let network = try? VGGArchitecture(weights: file),
      network.convolutions.flatMap({ network.tensors(of: $0) }).allSatisfy({
        (try? file.stored($0.name)) != nil
      })
    {
      return file
    }
    // Under other names, in another number type, or without idle biases. What is wrong with torchvision's is told by who reads them.
    let imported: ImportedEncoder
    do { imported = try ImportedEncoder(path: path) } catch { return file }
    return try imported.file(path: path)
  }
}
