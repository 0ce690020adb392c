import ArgumentParser
import Foundation
import Models
import Support

/// `captioner convert`: a model for other programs.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Writes a model for other programs.",
    usage: "captioner convert <model> <folder> --to onnx|torch|npz",
    discussion: """
      onnx: encoder.onnx and decoder.onnx, for ONNX Runtime and others. The encoder
      reads pixels [N, 3, H, W], RGB from 0 to 255, already of the model's size, and
      gives v and what the decoder needs; the decoder reads a word of each image and
      gives the log-probabilities of the next. tools/export/greedy.py captions
      photos with them. Decoders: LSTM, GRU and RNN with W_ih·v, the image as first
      input, soft or top-down attention.
      torch: weights.safetensors, float32, which tools/export/captioner_torch.py
      runs in PyTorch.
      npz: weights.npz for numpy.load, float32, and description.json.
      All come with vocabulary.json, the words in the order of their ids.

      Examples:
        captioner convert models/captioner.safetensors captioner-onnx --to onnx
        python3 tools/export/greedy.py captioner-onnx photo.jpg
      """)

  @Argument(help: ArgumentHelp("A model file.", valueName: "model")) var from: String
  @Argument(help: ArgumentHelp("Where to write; it is made if it is not there.", valueName: "folder"))
  var destination: String
  @Option(help: "onnx, torch or npz.") var to: ModelExport
  @OptionGroup var engine: EngineOptions

  func run() throws {
    engine.apply()
    try reportingErrors { try export(to) }
  }

  /// Writes the model for another program.
  private func export(_ kind: ModelExport) throws {
    try OutputFolder.make(destination)
    let files = kind.files.map { "\(destination)/\($0)" }
    var outputs = Outputs(readingFrom: [from])
    for file in files { try outputs.add(file, "the folder") }
    try kind.write(modelAt: from, to: destination)
    Console.note("\(files.joined(separator: ", ")): \(from) for \(kind.title)")
  }
}

extension ModelExport: ExpressibleByArgument {}
