public import ArgumentParser
import Foundation
import Imaging
public import Models
import Support
import Tensors

/// `captioner convert`: another program's weights as a file of ours, or a model of ours for other programs.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Makes weights of another program ours, or a model theirs.",
    usage: """
      captioner convert [<options>] <from> <to>
      captioner convert <model> <folder> --to onnx|torch|npz
      """,
    discussion: """
      Reads VGG networks of torchvision, timm and others from PyTorch's .pth and
      .pt, Keras's .h5 and .keras, Caffe's .caffemodel, ONNX, NumPy's .npz, pickles
      and safetensors, and writes safetensors with torchvision's names. Nothing in
      the file is run: one that asks for a program is refused. Every --encoder takes
      such files as they are, too; a converted one is read faster. Tensors without a
      place are named on standard error.

      With --to, a captioner model becomes files in a folder:
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

      Captioners of other projects become models: neuraltalk2's .t7, neuraltalk's
      .p, LRCN's .caffemodel with its vocabulary.txt as --infos,
      ImageCaptioning.pytorch's .pth with its --infos (fc, newfc, show_tell,
      att2in2, topdown), and a-PyTorch-Tutorial-to-Image-Captioning's .pth.tar with
      its WORDMAP as --infos. Some keep features instead of an encoder: --encoder is
      the VGG network that gave them; of any other encoder --features says how many
      numbers an image or each of its regions has, and the model will take them by
      caption --features. What our decoders don't do is refused by its name.

      Examples:
        captioner convert vgg16-397923af.pth vgg16.safetensors
        captioner convert vgg_caffe.pth vgg.safetensors --preprocessing caffe
        captioner convert vgg19.npz small.safetensors --half --format json
        captioner convert model.safetensors folder --to onnx
        captioner convert model_id1.t7 model.safetensors
        captioner convert model.pth model.safetensors --infos infos.pkl \\
          --encoder vgg16.pth
        captioner convert model.pth model.safetensors --infos infos.pkl \\
          --features 14x14x2048
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: ArgumentHelp("The file to read.", valueName: "from")) var source: String
  @Argument(
    help: ArgumentHelp(
      "The safetensors file to write; with --to the folder, which is made if it is not there.",
      valueName: "to")) var destination: String
  @Option(help: "onnx, torch or npz: a captioner model for other programs.") var to: ModelExport?
  @Flag(help: "Store convolutions and matrices in 16-bit floats: half the bytes.") var half = false
  @Option(help: "auto (as the file says), torchvision or caffe: how pixels become input.") var preprocessing =
    "auto"
  @Option(
    help: ArgumentHelp(
      "Options and words beside a captioner of ImageCaptioning.pytorch, or the words of LRCN and others.",
      valueName: "file"))
  var infos: String?
  @Option(help: ArgumentHelp("The encoder of a captioner that has none of its own.", valueName: "file"))
  var encoder: String?
  @Option(
    help: ArgumentHelp(
      "Numbers of features that are made elsewhere, in an encoder's place: 2048, 36x2048 or 14x14x2048.",
      valueName: "sizes"))
  var features: String?
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard ["auto", "torchvision", "caffe"].contains(preprocessing) else {
      throw ValidationError("--preprocessing: expected auto, torchvision or caffe, found \(preprocessing)")
    }
    let reads =
      half || preprocessing != "auto" || format != .text || infos != nil || encoder != nil || features != nil
    guard to == nil || !reads else {
      throw ValidationError(
        "--to: not with --half, --preprocessing, --infos, --encoder, --features or --format")
    }
    guard encoder == nil || features == nil else {
      throw ValidationError("--features: not with --encoder, which makes them")
    }
    guard let features else { return }
    guard givenShape != nil else {
      throw ValidationError(
        "--features: expected sizes such as 2048, 36x2048 or 14x14x2048, found \(features.printable())")
    }
  }

  /// The extents that --features asks for; nil: none, or no extents.
  private var givenShape: [Int]? {
    let extents = features.map { $0.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) } }
    guard let extents, (1...3).contains(extents.count) else { return nil }
    let numbers = extents.compactMap { $0.flatMap { (1...1 << 20).contains($0) ? $0 : nil } }
    return numbers.count == extents.count ? numbers : nil
  }

  private func givenEncoder() throws -> EncoderSource? {
    if let encoder { return try EncoderSource(path: encoder, preprocessing: preprocessing) }
    return try givenShape.map { try EncoderSource(featuresOf: Shape($0), path: source) }
  }

  private struct Report: Encodable {
    let from, to, network: String
    let tensors, parameters: Int
    let metadata: [String: String]
    let left_over: [String]
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      if let to { return try export(to) }
      var outputs = Outputs(readingFrom: [source] + [infos, encoder].compactMap { $0 })
      try outputs.add(destination, "<to>")
      let known = ["torchvision": Preprocessing.torchvision, "caffe": .caffe][preprocessing]
      let options = Conversion.Options(
        preprocessing: known, infos: infos,
        encoder: try givenEncoder())
      let conversion = try Conversion(ofFileAt: source, options)
      try conversion.write(to: destination, half: half)
      for name in conversion.leftOver { Console.complain("\(name): no place for it") }
      for note in conversion.notes { Console.complain(note) }
      let parameters = conversion.tensors.reduce(0) { $0 + $1.tensor.count }
      if format == .json {
        try Console.print(
          Console.json(
            Report(
              from: source, to: destination, network: conversion.title, tensors: conversion.tensors.count,
              parameters: parameters, metadata: conversion.metadata, left_over: conversion.leftOver)))
      } else {
        Console.note(
          "\(destination): \(conversion.title), \(conversion.tensors.count) tensors of \(parameters) numbers")
      }
    }
  }

  /// Writes the model for another program.
  private func export(_ kind: ModelExport) throws {
    try OutputFolder.make(destination)
    let files = kind.files.map { "\(destination)/\($0)" }
    var outputs = Outputs(readingFrom: [source])
    for file in files { try outputs.add(file, "the folder") }
    try kind.write(modelAt: source, to: destination)
    Console.note("\(files.joined(separator: ", ")): \(source) for \(kind.title)")
  }
}

extension ModelExport: ExpressibleByArgument {}
