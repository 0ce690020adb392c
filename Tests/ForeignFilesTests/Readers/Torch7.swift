import Foundation
import Models
import Support
import Tensors
import WeightFiles

/// Files of Torch 7.
extension ForeignReader {
  /// All of a file's tensors, and the captioner that it may be.
  static let torch7 = ForeignReader(
    name: "torch7", longest: 8192,
    words: [
      "\u{3}\0\0\0", "\u{4}\0\0\0", "3\n1\n2\n", "V 1", "torch.FloatTensor", "torch.CudaHalfTensor",
      "torch.LongStorage", "torch.ByteStorage", "nn.Sequential", "nn.LanguageModel", "protos", "cnn", "lm",
      "vocab",
      "modules", "weight", "bias", "forwardnodes", "annotations", "9223372036854775807", "nan",
    ],
    seeds: {
      return try ["binary", "longs-of-4", "text"].map { name in
        try fixture("WeightFilesTests/Fixtures/torch7/\(name).t7")
      } + [
        // protos of a cnn with one layer and a language model of two words.
        Array(
          ("3|1|2|2|6|protos|3|2|2|2|3|cnn|4|3|3|V 1|13|nn.Sequential|3|4|1|2|7|modules|3|5|1|1|1|4|6|3|V 1|7|nn.ReLU|"
            + "3|7|0|2|2|lm|4|8|3|V 1|16|nn.LanguageModel|3|9|1|2|10|vocab_size|1|1|2|5|vocab|3|10|1|2|1|1|2|1|a|")
            .utf8.map { $0 == UInt8(ascii: "|") ? UInt8(ascii: "\n") : $0 }),
        Array("4\n1\n3\nV 1\n18\ntorch.FloatStorage\n3\n1.5 nan -inf\n".utf8),
      ]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let found = outcome { try Torch7File(path: scratch.path) }
      guard let file = found.value else {
        guard found.error.hasPrefix(scratch.path), !found.error.contains("\n") else {
          throw Wrong(found.error)
        }
        return
      }
      for tensor in file.tensors.entries {
        let read = try tensor.read()
        guard read.shape == tensor.shape, read.scalars.count == tensor.shape.count else {
          throw Wrong("\(tensor.name): another shape")
        }
      }
      let captioner = outcome { try ImportedCaptioner.read(CaptionerFiles(model: scratch.path)) }
      guard captioner.error.isEmpty || captioner.error.hasPrefix(scratch.path) else {
        throw Wrong(captioner.error)
      }
    })
}
