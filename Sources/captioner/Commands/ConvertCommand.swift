import ArgumentParser
import Foundation
import Imaging
import Models
import Support

/// `captioner convert`: another program's weights as a file of ours.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Makes weights of another program ours.",
    usage: "captioner convert [<options>] <from> <to>",
    discussion: """
      Reads VGG networks of torchvision, timm and others from PyTorch's .pth and .pt,
      NumPy's .npz, pickles and safetensors, and writes safetensors with torchvision's
      names. Nothing in the file is run: one that asks for a program is refused.
      Every --encoder takes such files as they are, too; a converted one is read
      faster. Tensors without a place are named on standard error.

      Captioners of other projects become models: neuraltalk2's .t7, neuraltalk's .p
      and ImageCaptioning.pytorch's .pth with its --infos (fc, newfc, show_tell,
      att2in2). The last two keep features instead of an encoder: --encoder is the
      VGG network that gave them. What our decoders don't do is refused by its name.

      Examples:
        captioner convert vgg16-397923af.pth vgg16.safetensors
        captioner convert vgg16_caffe.pth vgg16.safetensors --preprocessing caffe --half
        captioner convert vgg19.npz vgg19.safetensors --format json | jq .left_over
        captioner convert model_id1.t7 model.safetensors
        captioner convert flickr8k.p model.safetensors --encoder vgg16_caffe.pth \\
          --preprocessing caffe
        captioner convert model.pth model.safetensors --infos infos.pkl \\
          --encoder vgg16.pth
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: ArgumentHelp("The file to read.", valueName: "from")) var source: String
  @Argument(help: ArgumentHelp("The safetensors file to write.", valueName: "to")) var destination: String
  @Flag(help: "Store convolutions and matrices in 16-bit floats: half the bytes.") var half = false
  @Option(help: "auto (as the file says), torchvision or caffe: how pixels become input.") var preprocessing =
    "auto"
  @Option(
    help: ArgumentHelp("Options and words beside a captioner of ImageCaptioning.pytorch.", valueName: "file"))
  var infos: String?
  @Option(help: ArgumentHelp("The encoder of a captioner that has none of its own.", valueName: "file"))
  var encoder: String?
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard ["auto", "torchvision", "caffe"].contains(preprocessing) else {
      throw ValidationError("--preprocessing: expected auto, torchvision or caffe, found \(preprocessing)")
    }
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
      var outputs = Outputs(readingFrom: [source] + [infos, encoder].compactMap { $0 })
      try outputs.add(destination, "the file to write")
      let known = ["torchvision": Preprocessing.torchvision, "caffe": .caffe][preprocessing]
      let options = Conversion.Options(
        preprocessing: known, infos: infos,
        encoder: try encoder.map { try EncoderSource(path: $0, preprocessing: preprocessing) })
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
}
