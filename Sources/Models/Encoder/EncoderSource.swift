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
    var stored: Preprocessing?
    if file.metadata["format"] == "captioner" {
      prefix = ModelFile.encoderPrefix
      stored = try ModelDescription(of: file).preprocessing
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
}
