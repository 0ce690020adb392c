import ArgumentParser
import Kernels
import Layers
import Models
import Support
import Tensors

/// What kind of decoder is timed, in `train`'s words.
struct DecoderFlags: ParsableArguments {
  @Option var cell: CellName = .lstm
  @Option var layers = 1
  @Flag var residual = false
  @Option var conditioning: ConditioningName = .gates
  @Option var injection: Injection = .everyStep
  @Option(help: "From the bottom.") var imageLayer = 1
  @Flag var initialStates = false
  @Option(help: "Regions that attention looks at, of 512 channels.") var regions = 49
  @Option var regionSize = 512
  @Option var attentionSize = 256
  @Flag var attentionGate = false

  /// The decoder of these flags, told of the image by 4096 numbers.
  func description(words: Int, hidden: Int) throws -> DecoderDescription {
    var description = DecoderDescription(
      vocabularySize: words, embeddingSize: hidden, hiddenSize: hidden, imageFeatureSize: 4096,
      layers: layers,
      cell: cell, injection: conditioning.injects ? injection : .everyStep)
    description.isResidual = residual
    description.conditioning = conditioning
    description.contextLayer = imageLayer - 1
    description.initialStates = initialStates
    if conditioning == .multimodal { description.multimodalSize = 512 }
    if conditioning == .visualMemory { description.memorySize = 512 }
    if conditioning.attends {
      description.attention = AttentionDescription(
        channels: 512, valueSize: regionSize, keySize: attentionSize, gated: attentionGate)
    }
    if let problem = description.problem { throw ValidationError(problem) }
    return description
  }

  /// Regions of so many images, if the decoder looks at any.
  func regions(of images: Int, _ decoder: DecoderDescription, using random: inout Random) -> Tensor? {
    decoder.attention.map {
      Tensor(uniform: [images, regions, $0.channels], limit: 1, using: &random)
    }
  }
}

extension CellName: @retroactive ExpressibleByArgument {}
extension ConditioningName: @retroactive ExpressibleByArgument {}
extension Injection: @retroactive ExpressibleByArgument {}
