import Captioning
import Imaging
import Tensors

/// An encoder as the command line names it: a weights file with torchvision's names, or a captioner model.
struct EncoderSource {
  let file: SafetensorsFile
  /// `encoder.` in a captioner model, else nothing.
  let prefix: String
  /// The network as the file has it.
  let architecture: VGGArchitecture
  let preprocessing: Preprocessing

  /// - Parameter preprocessing: `auto` takes what the file says, else torchvision's; `torchvision`; `caffe`.
  init(path: String, preprocessing name: String) throws {
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
    default: preprocessing = stored ?? .torchvision
    }
  }
}
