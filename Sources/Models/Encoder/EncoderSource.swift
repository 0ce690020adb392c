public import Datasets
public import Imaging
public import Tensors

/// An encoder as a run or a command names it: a weights file with torchvision's names, or a captioner model.
public struct EncoderSource: Sendable {
  /// The file.
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
    file = try SafetensorsFile(path: path)
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
    self.features = features
    file = try SafetensorsFile(inMemory: [], metadata: [:], path: features.name)
    prefix = ""
    preprocessing = .torchvision
    let given = GivenFeatures(features.shape, name: name)
    guard let found = VGGArchitecture(given: given, head: .none, featureSize: given.width) else {
      throw ModelError.unsupported(
        path: features.name, expected: "features that fit a model", found: given.sizesText)
    }
    architecture = found
  }
}
