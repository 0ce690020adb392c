import Models
import Tensors

/// Captioners of other projects.
extension ForeignReader {
  /// A model, of which what lies beside it is as it should be.
  static let captioners = ForeignReader(
    name: "captioner", longest: 20480,
    words: [
      "logit.weight", "core.i2h.weight", "att_embed.0.weight", "running_var", "decoder", "_modules",
      "_parameters", "full_att", "f_beta.bias", "ixtoword", "checkpoint", "Ws", "We", "params", "generator",
      "ctorch._utils\n_rebuild_tensor_v2\n", "cmodels\nDecoderWithAttention\n",
      "cnumpy.core.multiarray\n_reconstruct\n",
    ],
    seeds: {
      try [
        "attend-state.pth", "topdown.pth", "fc.pth", "att2in2.pth", "neuraltalk-tanh.p", "neuraltalk-rnn.p",
      ]
      .map { try fixture(captionersFolder + $0) }
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let (infos, features) = [("topdown.pkl", [49, 8]), ("attend.json", [7, 7, 8]), ("fc.pkl", [16])][
        bytes.count % 3]
      let beside = try ScratchFile()
      beside.hold(try fixture(captionersFolder + infos))
      try convert(model: scratch, infos: beside, features: features)
    })

  /// What lies beside a model that is as it should be: options and words.
  static let captionerInfos = ForeignReader(
    name: "captioner-infos",
    words: [
      "caption_model", "topdown", "newfc", "rnn_type", "use_bn", "opt", "vocab", "<start>", "<end>", "<pad>",
      "cargparse\nNamespace\n",
    ],
    seeds: {
      try ["fc.pkl", "topdown.pkl", "attend.json", "lrcn.txt"].map { try fixture(captionersFolder + $0) }
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let (model, features) = [
        ("topdown.pth", [49, 8]), ("attend-state.pth", [7, 7, 8]), ("fc.pth", [16]),
      ][
        bytes.count % 3]
      let beside = try ScratchFile()
      beside.hold(try fixture(captionersFolder + model))
      try convert(model: beside, infos: scratch, features: features)
    })

  private static var captionersFolder: String { "ModelsTests/Fixtures/captioners/" }

  /// Makes a model of it, or an error that names one of the files.
  private static func convert(model: ScratchFile, infos: ScratchFile, features: [Int]) throws {
    let made = outcome {
      let encoder = try EncoderSource(featuresOf: Shape(features), path: model.path)
      return try ImportedCaptioner.read(
        CaptionerFiles(model: model.path, infos: infos.path, encoder: encoder))?.conversion()
    }
    guard made.error.isEmpty || [model, infos].contains(where: { made.error.hasPrefix($0.path) }),
      !made.error.contains("\n")
    else { throw Wrong(made.error) }
  }
}
