internal import Foundation
internal import Kernels
internal import Support
internal import Tensors

/// What a model can be written as, for other programs.
public enum ModelExport: String, Sendable, CaseIterable {
  /// Two networks, `encoder.onnx` and `decoder.onnx`, that ONNX Runtime and others run.
  case onnx
  /// The weights as PyTorch has them, in single precision: a state dictionary of `tools/export/captioner_torch.py`.
  case torch
  /// NumPy's arrays by name.
  case npz

  /// What it is for.
  public var title: String {
    switch self {
    case .onnx: "ONNX Runtime and others"
    case .torch: "PyTorch"
    case .npz: "NumPy"
    }
  }

  /// The files that are made.
  public var files: [String] {
    switch self {
    case .onnx: ["encoder.onnx", "decoder.onnx", Self.vocabulary]
    case .torch: ["weights.safetensors", Self.vocabulary]
    case .npz: ["weights.npz", Self.description, Self.vocabulary]
    }
  }

  private static let vocabulary = "vocabulary.json"
  private static let description = "description.json"

  /// Writes a captioner model into a folder; each file appears whole or not at all.
  /// - Throws: `ModelError` when the file is no model, or one that this can't be told of, `FileError`.
  public func write(modelAt path: String, to folder: String) throws {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch { throw ModelError.weights(error) }
    let model = try ModelDescription(of: file)
    if let given = model.encoder.given, self != .npz {
      throw ModelError.unsupported(
        path: path, expected: "a model of photos, or --to npz", found: "one of \(given.text)")
    }
    switch self {
    case .onnx:
      let network = try ONNXNetwork(file, model)
      var metadata = try model.metadata()
      metadata["vocabulary"] = nil
      try network.encoder().write(metadata: metadata, to: folder + "/encoder.onnx")
      try network.decoder().write(metadata: metadata, to: folder + "/decoder.onnx")
    case .torch:
      let items = try Self.tensors(of: file).map { SafetensorsWriter.Item(name: $0.name, tensor: $0.tensor) }
      try SafetensorsWriter.write(items, metadata: model.metadata(), to: folder + "/weights.safetensors")
    case .npz:
      try NumPyArchive.write(Self.tensors(of: file), to: folder + "/weights.npz")
      try Self.write(Self.text(of: model.metadata()), to: folder + "/" + Self.description)
    }
    try Self.write(canonicalJSON(model.vocabulary), to: folder + "/" + Self.vocabulary)
    do { try file.checkUnchanged() } catch { throw ModelError.weights(error) }
  }

  /// All tensors of a file, by name.
  private static func tensors(
    of file: SafetensorsFile
  ) throws(ModelError) -> [(name: String, tensor: Tensor)] {
    var tensors: [(name: String, tensor: Tensor)] = []
    for name in file.entries.keys.sorted() {
      do { tensors.append((name, try file.tensor(named: name))) } catch { throw .weights(error) }
    }
    return tensors
  }

  /// A model's metadata as one JSON object: what is JSON in them is no text in it.
  private static func text(of metadata: [String: String]) throws -> String {
    try canonicalJSON(
      object: metadata.filter { $0.key != "vocabulary" }.mapValues { value in
        (try? JSONSerialization.jsonObject(with: Data(value.utf8))) ?? value
      })
  }

  private static func write(_ text: String, to path: String) throws {
    try AtomicFile.write(to: path) { try $0.write(text + "\n") }
  }
}
