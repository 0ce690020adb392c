public import Decoding
public import Kernels
public import Layers
public import Tensors

/// What kind of decoder, and its sizes, as a model file records them.
public struct DecoderDescription: Sendable, Equatable {
  /// V.
  public var vocabularySize: Int
  /// E.
  public var embeddingSize: Int
  /// H.
  public var hiddenSize: Int
  /// D.
  public var imageFeatureSize: Int
  /// Recurrent layers on top of each other.
  public var layers: Int
  /// Whether layers above the first pass on h + what they read.
  public var isResidual: Bool
  /// What its recurrent layers are made of.
  public var cell: CellName
  /// How the image enters.
  public var conditioning: ConditioningName
  /// At which steps W_ih·v enters, where the conditioning has it.
  public var injection: Injection
  /// Which layer it enters, from 0.
  public var contextLayer: Int
  /// Whether the image is also the state that captions begin with.
  public var initialStates: Bool
  /// Whether those are a sum, without tanh.
  public var linearStates: Bool
  /// Whether the image as first input is rectified.
  public var rectifiesInput: Bool
  /// How regions are attended to; nil where the conditioning does not.
  public var attention: AttentionDescription?
  /// M, of the layer in which word, state and image meet; nil where the conditioning has none.
  public var multimodalSize: Int?
  /// U, of the visual memory; nil where the conditioning has none.
  public var memorySize: Int?

  /// A decoder's sizes, all at least 1: one that W_ih·v tells of the image, in the lowest layer, unless its other properties
  /// are set. Those of vocabulary and image are a model's: its description fills them in.
  public init(
    vocabularySize: Int = 0, embeddingSize: Int, hiddenSize: Int, imageFeatureSize: Int = 0, layers: Int = 1,
    cell: CellName = .lstm, injection: Injection = .everyStep
  ) {
    conditioning = .gates
    contextLayer = 0
    initialStates = false
    linearStates = false
    rectifiesInput = false
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    self.hiddenSize = hiddenSize
    self.imageFeatureSize = imageFeatureSize
    self.layers = layers
    isResidual = false
    self.cell = cell
    self.injection = injection
  }

  /// The most recurrent layers.
  public static let mostLayers = 4

  /// The embedding size that the cell needs, which is not this one: H, where a gate reads the embedding itself; nil: any
  /// will do.
  public var neededEmbeddingSize: Int? {
    cell.cell.directInput != nil && embeddingSize != hiddenSize ? hiddenSize : nil
  }
}

/// How an image enters a decoder, as the command line and model files call it.
public enum ConditioningName: String, Codable, Sendable, CaseIterable {
  /// W_ih·v in the gates' sums.
  case gates
  /// The image as the first input, before the first word.
  case firstInput = "first-input"
  /// Soft attention to the image's regions, beside W_ih·v or alone.
  case attention
  /// The same, which in training draws one region at each word and learns by reinforcement (`AttentionSampling`). Elsewhere
  /// it sees the mean, as the authors' program does when it captions (arctic-captions, `generate_caps.py` without `-sampling`).
  case hardAttention = "hard-attention"
  /// Top-down attention: two layers, of which the first decides where to look; beside W_ih·v or alone.
  case topDown = "top-down"
  /// In a layer outside of the recurrence, where word, state and image meet (m-RNN).
  case multimodal
  /// In half of the units, beside a memory that reconstructs it from the words (Chen & Zitnick 2015).
  case visualMemory = "visual-memory"

  /// Whether it attends to regions.
  public var attends: Bool { looksBeforeSteps || self == .topDown }
  /// Whether it looks with the state before a step, so that a gate may say how much that counts.
  public var looksBeforeSteps: Bool { self == .attention || self == .hardAttention }
  /// Whether it may have W_ih·v.
  public var injects: Bool { attends || self == .gates }
  /// Whether recurrent layers may be stacked.
  public var stacks: Bool { self != .topDown && self != .visualMemory }
  /// Whether it takes any cell, also one of whose gates reads its input itself.
  public var takesEveryCell: Bool { stacks }
  /// Whether the image enters one of those layers, or the states that captions begin with.
  public var entersLayers: Bool { stacks && self != .multimodal }
}

/// How a decoder attends to the regions of an image: the pixels of the last map.
public struct AttentionDescription: Sendable, Equatable, Codable {
  /// C, of a region.
  public var channels: Int
  /// A, of what is summed.
  public var valueSize: Int
  /// K, of what is compared.
  public var keySize: Int
  /// Whether a gate says how much what is seen counts (soft attention).
  public var gated: Bool
  /// Whether that gate is one for each number of what is seen, not one for all.
  public var gatesEach: Bool
  /// By what a region's key and the state are compared.
  public var comparison: Attention.Comparison
  /// What regions are multiplied by before anything else: about one over their standard deviation in training.
  public var scale: Float

  /// Sizes of at least 1.
  public init(
    channels: Int, valueSize: Int, keySize: Int, gated: Bool = false, gatesEach: Bool = false,
    comparison: Attention.Comparison = .tanh, scale: Float = 1
  ) {
    self.channels = channels
    self.valueSize = valueSize
    self.keySize = keySize
    self.gated = gated
    self.gatesEach = gatesEach
    self.comparison = comparison
    self.scale = scale
  }

  enum CodingKeys: String, CodingKey {
    case channels, gated, scale, comparison
    case gatesEach = "gates_each"
    case valueSize = "value_size"
    case keySize = "key_size"
  }

  /// As a model file has it: what is not there is as in files from before there was a choice.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      channels: try container.decode(Int.self, forKey: .channels),
      valueSize: try container.decode(Int.self, forKey: .valueSize),
      keySize: try container.decode(Int.self, forKey: .keySize),
      gated: try container.decode(Bool.self, forKey: .gated),
      gatesEach: try container.decodeIfPresent(Bool.self, forKey: .gatesEach) ?? false,
      comparison: try container.decodeIfPresent(Attention.Comparison.self, forKey: .comparison) ?? .tanh,
      scale: try container.decode(Float.self, forKey: .scale))
  }

  /// Writes what a model file has; the usual choices are left out.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(channels, forKey: .channels)
    try container.encode(valueSize, forKey: .valueSize)
    try container.encode(keySize, forKey: .keySize)
    try container.encode(gated, forKey: .gated)
    try container.encode(scale, forKey: .scale)
    if gatesEach { try container.encode(true, forKey: .gatesEach) }
    if comparison != .tanh { try container.encode(comparison, forKey: .comparison) }
  }

  /// How many gates there are.
  var gates: Int { gated ? gatesEach ? valueSize : 1 : 0 }

  /// All but the scale, for people.
  var sizesText: String {
    "\(channels) to \(valueSize), keys of \(keySize)"
      + (comparison == .relu ? ", compared by ReLU" : "")
      + (gated ? gatesEach ? ", each gated" : ", gated" : "")
  }

  func sizes(hidden: Int) -> RegionAttention.Sizes {
    .init(channels: channels, values: valueSize, keys: keySize, hidden: hidden, comparison: comparison)
  }
}

extension DecoderDescription {
  /// The ways in which the image enters, for people.
  public var ways: [String] {
    var ways: [String] = []
    if let attention {
      let kind = conditioning == .topDown ? "top-down" : conditioning == .hardAttention ? "hard" : "soft"
      ways.append("\(kind) attention to regions of \(attention.sizesText)")
    }
    if conditioning == .firstInput {
      ways.append("the image as first input" + (rectifiesInput ? ", rectified" : ""))
    }
    if let memorySize { ways.append("the image in half of the units, a visual memory of \(memorySize)") }
    if let multimodalSize { ways.append("a multimodal layer of \(multimodalSize)") }
    if conditioning.injects && injection != .never {
      ways.append("W_ih·v \(injection.rawValue)" + (contextLayer > 0 ? " in layer \(contextLayer + 1)" : ""))
    }
    if initialStates { ways.append("the image as initial states" + (linearStates ? ", linear" : "")) }
    return ways
  }

  /// What does not go together, or is out of range; nil: nothing.
  public var problem: String? {
    guard (0..<max(1, layers)).contains(contextLayer) else {
      return "the image in layer \(contextLayer + 1) of \(layers)"
    }
    guard (attention != nil) == conditioning.attends else {
      return "\(conditioning.rawValue) \(attention == nil ? "without" : "with") sizes of attention"
    }
    if conditioning == .topDown && (layers != 1 || contextLayer != 0 || initialStates) {
      return
        "top-down attention, which has two layers of its own, with layers, a layer for the image or initial states"
    }
    if conditioning == .visualMemory && layers != 1 { return "a visual memory beside \(layers) layers" }
    if !conditioning.takesEveryCell && cell.cell.directInput != nil {
      return "\(conditioning.rawValue) with cell \(cell.rawValue), one of whose gates reads its input itself"
    }
    if conditioning == .firstInput && injection == .firstStep {
      return "first-input with W_ih·v"
    }
    if rectifiesInput && conditioning != .firstInput {
      return "\(conditioning.rawValue) with a rectified first input"
    }
    if !conditioning.entersLayers && (contextLayer != 0 || initialStates) {
      return "\(conditioning.rawValue) with a layer for the image or initial states"
    }
    if linearStates && !initialStates { return "linear initial states without initial states" }
    guard (multimodalSize != nil) == (conditioning == .multimodal) else {
      return
        "\(conditioning.rawValue) \(multimodalSize == nil ? "without" : "with") the size of a multimodal layer"
    }
    if let multimodalSize, !(1...(1 << 14)).contains(multimodalSize) {
      return "a multimodal layer of \(multimodalSize)"
    }
    guard (memorySize != nil) == (conditioning == .visualMemory) else {
      return "\(conditioning.rawValue) \(memorySize == nil ? "without" : "with") the size of a visual memory"
    }
    if let memorySize, !(1...(1 << 14)).contains(memorySize) { return "a visual memory of \(memorySize)" }
    guard let attention else { return nil }
    let sizes = [attention.channels, attention.valueSize, attention.keySize]
    guard sizes.allSatisfy({ (1...(1 << 14)).contains($0) }) else {
      return "attention of sizes \(sizes.map(String.init).joined(separator: ", "))"
    }
    if attention.gatesEach && !attention.gated { return "a gate for each number without a gate" }
    guard attention.scale > 0 && attention.scale.isFinite else { return "regions times \(attention.scale)" }
    return nil
  }

  /// W_ih·v of so many sums; nil where it does not enter.
  func gateInjection<E: Error>(
    sums: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) -> GateInjection? {
    guard injection != .never else { return nil }
    return try GateInjection(
      "decoder.image_to_hidden", features: imageFeatureSize, sums: sums, injection, from: source)
  }
}

/// The decoder of a description, its parameters from `source`: the only place where a name becomes a kind.
public func makeDecoder<E: Error>(
  _ description: DecoderDescription, from source: (ParameterSpecification) throws(E) -> Tensor
) throws(E) -> any SequenceDecoder {
  func make<Cell: RecurrentCell>(_ cell: Cell.Type) throws(E) -> any SequenceDecoder {
    func decoder<Condition: Conditioning>(
      _ conditioning: (_ sums: Int) throws(E) -> Condition
    ) throws(E) -> any SequenceDecoder {
      guard description.initialStates else {
        return try RecurrentDecoder<Cell, Condition>(description, conditioning: conditioning, from: source)
      }
      return try RecurrentDecoder<Cell, InitialStates<Condition>>(
        description,
        conditioning: { (sums) throws(E) in
          try InitialStates(
            "decoder.image_to_states", features: description.imageFeatureSize, layers: description.layers,
            states: Cell.states, hidden: description.hiddenSize, areLinear: description.linearStates,
            beside: try conditioning(sums), from: source)
        }, from: source)
    }
    switch (description.conditioning, description.attention) {
    case (.topDown, let attention?):
      return try TopDownDecoder<Cell>(description, attention, from: source)
    case (.attention, let attention?), (.hardAttention, let attention?):
      return try decoder { (sums) throws(E) in
        try SoftAttention(
          "decoder.attention", attention.sizes(hidden: description.hiddenSize), sums: sums,
          gates: attention.gates, injection: try description.gateInjection(sums: sums, from: source),
          from: source)
      }
    case (.multimodal, _):
      guard let size = description.multimodalSize else {
        preconditionFailure("no size of the multimodal layer")
      }
      return try MultimodalDecoder<Cell>(description, size: size, from: source)
    case (.visualMemory, _):
      guard let size = description.memorySize else { preconditionFailure("no size of the visual memory") }
      return try VisualMemoryDecoder<Cell>(description, size: size, from: source)
    case (.firstInput, _):
      return try decoder { (_) throws(E) in
        try FirstInput(
          "decoder.image_to_input", features: description.imageFeatureSize,
          inputs: description.embeddingSize, isRectified: description.rectifiesInput, from: source)
      }
    default:
      guard description.injection != .never else {
        return try decoder { (_) throws(E) in Unconditioned() }
      }
      return try decoder { (sums) throws(E) in
        try description.gateInjection(sums: sums, from: source)!
      }
    }
  }
  return try make(description.cell.cell)
}
