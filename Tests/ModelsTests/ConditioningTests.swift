import Decoding
import Kernels
import Language
import Layers
import Models
import Support
import TestSupport
import Tensors
import Testing

/// A way in which the image enters, small, as tools/golden/conditionings.py has it.
struct ConditioningCase: Sendable, CustomTestStringConvertible {
  let name: String
  var conditioning = ConditioningName.gates
  var injection = Injection.everyStep
  var layers = 1
  var contextLayer = 0
  var initialStates = false
  var gated = false
  /// Compares by a ReLU, with a gate for each number, from states without tanh.
  var isRectified = false
  var rectifiesInput = false
  var testDescription: String { name }

  static let all = [
    ConditioningCase(name: "input", conditioning: .firstInput),
    ConditioningCase(name: "rectified", conditioning: .firstInput, rectifiesInput: true),
    ConditioningCase(name: "states", layers: 2, initialStates: true),
    ConditioningCase(name: "upper", layers: 2, contextLayer: 1),
    ConditioningCase(name: "soft", conditioning: .attention),
    ConditioningCase(name: "gated", conditioning: .attention, injection: .never, gated: true),
    ConditioningCase(name: "topdown", conditioning: .topDown),
    ConditioningCase(name: "topdown_alone", conditioning: .topDown, injection: .never),
    ConditioningCase(name: "mrnn", conditioning: .multimodal),
    ConditioningCase(name: "memory", conditioning: .visualMemory),
    ConditioningCase(name: "hard", conditioning: .hardAttention),
    ConditioningCase(name: "hard_gated", conditioning: .hardAttention, injection: .never, gated: true),
    ConditioningCase(
      name: "attend", conditioning: .attention, injection: .never, initialStates: true, gated: true,
      isRectified: true),
  ]
  /// Combinations that have no golden of their own.
  static let mixed = [
    ConditioningCase(
      name: "soft, first step", conditioning: .attention, injection: .firstStep, layers: 2, gated: true),
    ConditioningCase(
      name: "soft in layer 2 from states", conditioning: .attention, layers: 2, contextLayer: 1,
      initialStates: true),
    ConditioningCase(name: "input and states", conditioning: .firstInput, layers: 2, initialStates: true),
    ConditioningCase(name: "states alone", injection: .never, initialStates: true),
    ConditioningCase(name: "topdown, first step", conditioning: .topDown, injection: .firstStep),
    ConditioningCase(name: "mrnn of two layers", conditioning: .multimodal, layers: 2),
  ]

  /// V=23 E=7 H=9 D=11 C=6 A=8 K=4 M=10 U=6, five regions.
  func description(words: Int = 23, cell: CellName = .lstm) -> DecoderDescription {
    var result = DecoderDescription(
      vocabularySize: words, embeddingSize: 7, hiddenSize: 9, imageFeatureSize: 11, layers: layers,
      cell: cell,
      injection: injection)
    result.conditioning = conditioning
    result.contextLayer = contextLayer
    result.initialStates = initialStates
    result.linearStates = isRectified
    result.rectifiesInput = rectifiesInput
    if conditioning == .multimodal { result.multimodalSize = 10 }
    if conditioning == .visualMemory { result.memorySize = 6 }
    if conditioning.attends {
      result.attention = AttentionDescription(
        channels: 6, valueSize: 8, keySize: 4, gated: gated, gatesEach: isRectified,
        comparison: isRectified ? .relu : .tanh)
    }
    return result
  }

  /// Whether the loss has the doubly stochastic penalty in the golden.
  var isPenalized: Bool { name == "gated" }

  /// A pass that draws regions where attention is hard.
  func pass(dropout: DropoutPass = .none) -> TrainingPass {
    let sampling = AttentionSampling(
      .drawn(seed: 3, share: 0.7), baseline: -9, rewardWeight: 0.4, entropyWeight: 0.1)
    return TrainingPass(
      dropout: dropout, attentionSampling: conditioning == .hardAttention ? sampling : nil)
  }

  func decoder(words: Int = 23, cell: CellName = .lstm, limit: Float = 0.6) -> any SequenceDecoder {
    var random = Random(seed: 40)
    var decoder = makeDecoder(description(words: words, cell: cell)) { $0.untrained(using: &random) }
    decoder.visitParameters { parameter in
      let shape = parameter.value.shape
      switch parameter.path {
      // Sums far from the ReLU's kink: two units of three live.
      case "decoder.attention.regions.weight":
        parameter.value = Tensor(uniform: shape, limit: 0.1, using: &random)
      case "decoder.attention.regions.bias":
        parameter.value = Tensor((0..<shape.count).map { $0 % 3 == 0 ? -1 : 1 }, shape)
      case "decoder.attention.keys.weight" where isRectified,
        "decoder.attention.query.weight" where isRectified:
        parameter.value = Tensor(uniform: shape, limit: 0.03, using: &random)
      case "decoder.attention.keys.bias" where isRectified:
        parameter.value = Tensor((0..<shape.count).map { $0 % 3 == 0 ? -1 : 1 }, shape)
      case "decoder.image_to_input.weight" where rectifiesInput:
        parameter.value = Tensor(uniform: shape, limit: 0.05, using: &random)
      case "decoder.image_to_input.bias" where rectifiesInput:
        parameter.value = Tensor((0..<shape.count).map { $0 % 3 == 0 ? -1 : 1 }, shape)
      default: parameter.value = Tensor(uniform: shape, limit: limit, using: &random)
      }
    }
    return decoder
  }

  static func images(_ count: Int = 3) -> ImageFeatures {
    var random = Random(seed: 41)
    return ImageFeatures(
      v: Tensor(uniform: [count, 11], limit: 1, using: &random),
      regions: Tensor(uniform: [count, 5, 6], limit: 1, using: &random))
  }
}

private let captions = PackedSequences.packing(
  [[5, 6, 7, 8, 9], [4, 10, 11], [12, 4, 5], []], imageRows: [0, 1, 2, 0], start: Vocabulary.start,
  end: Vocabulary.end
).sequences

@Suite struct ConditioningTests {
  /// Log-probabilities, attention weights, and the gradients of everything.
  @Test(arguments: ConditioningCase.all) func agreesWithPyTorch(way: ConditioningCase) throws {
    let file = try SafetensorsFile(path: fixture("conditionings.safetensors"))
    func golden(_ name: String) throws -> Tensor { try file.tensor(named: "\(way.name).\(name)") }
    func integers(_ name: String) throws -> [Int32] { try golden(name).scalars.map { Int32($0) } }
    var decoder = try makeDecoder(way.description()) { asked throws in
      try file.tensor(named: "\(way.name).\(asked.path)", shape: asked.shape)
    }
    let sequences = PackedSequences(
      inputs: try integers("inputs"), targets: try integers("targets"),
      batchSizes: try integers("batch_sizes").map { Int($0) }, imageRows: try integers("image_index"))
    let images = ImageFeatures(v: try golden("v"), regions: try golden("regions"))
    let expected = try golden("log_probs").scalars
    let scores = TeacherForcedScores(decoder, sequences, about: images, on: .cpu)
    let isHard = way.conditioning == .hardAttention
    let spoken = try isHard ? golden("expected_log_probs").scalars : expected
    #expect(relativeError(scores.logProbs, spoken) < 1e-6)
    var trace = DecoderTrace()
    var pass = TrainingPass(attentionPenalty: way.isPenalized ? 0.7 : 0, regionsLearn: true)
    if way.conditioning == .visualMemory { pass.reconstructionWeight = 0.6 }
    if isHard {
      pass.attentionSampling = AttentionSampling(
        .given(try integers("locations")), baseline: -9, rewardWeight: 0.4, entropyWeight: 0.7)
    }
    let found = decoder.trainingForward(sequences, about: images, pass, into: &trace, on: .cpu)
    #expect(relativeError(found, expected) < 1e-6)
    let gradients = decoder.backward(&trace, on: .cpu)
    for parameter in decoder.parameters {
      #expect(
        relativeError(try #require(parameter.gradient), try golden("gradient.\(parameter.path)")) < 1e-5,
        "\(parameter.path)")
    }
    if way.injection != .never || way.initialStates {
      #expect(relativeError(gradients.v, try golden("gradient.v")) < 1e-5)
    }
    if way.conditioning.attends {
      #expect(relativeError(try #require(gradients.regions), try golden("gradient.regions")) < 1e-5)
    }
  }

  @Test(arguments: ConditioningCase.all + ConditioningCase.mixed, [0, 0.5] as [Float])
  func gradientsAreSlopes(way: ConditioningCase, dropout: Float) throws {
    let cell = CellName(dropout == 0 ? GRU.self : LSTM.self)
    var decoder = way.decoder(cell: cell)
    let images = ConditioningCase.images()
    func loss(_ decoder: inout any SequenceDecoder, _ trace: inout DecoderTrace) -> Double {
      let rates = DropoutPass.Rates(embedding: dropout, output: dropout, layers: dropout, regions: dropout)
      let found = decoder.trainingForward(
        captions, about: images, TrainingPass(dropout: DropoutPass(rates, seed: 5)), into: &trace, on: .cpu)
      return -found.reduce(0.0) { $0 + Double($1) } / Double(found.count)
    }
    var trace = DecoderTrace()
    _ = loss(&decoder, &trace)
    _ = decoder.backward(&trace, on: .cpu)
    // What is said does not depend on a reconstruction.
    for parameter in decoder.parameters where !parameter.path.hasPrefix("decoder.reconstruction") {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = decoder
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        return loss(&moved, &trace)
      }
      #expect(error < 2e-2, "\(parameter.path)")
    }
  }

  /// What the decoder says after what it has read under dropout is what a training pass under that dropout says.
  @Test(arguments: ConditioningCase.all + ConditioningCase.mixed)
  func sessionsUnderDropoutAreTrainingPasses(way: ConditioningCase) {
    var decoder = way.decoder()
    let images = ConditioningCase.images()
    let dropout = DropoutPass(.init(embedding: 0.3, output: 0.4, layers: 0.5, regions: 0.5), seed: 6)
    var trace = DecoderTrace()
    let expected = decoder.trainingForward(
      captions, about: images, TrainingPass(dropout: dropout), into: &trace, on: .cpu)
    let found = spoken(decoder, about: images, dropout)
    #expect(relativeError(found, expected) < 1e-5)
  }

  private func spoken(
    _ decoder: some SequenceDecoder, about images: ImageFeatures, _ dropout: DropoutPass
  ) -> [Float] {
    var session = decoder.session(for: images, sharing: DecodingCache(), dropout: dropout, on: .cpu)
    session.select(captions.imageRows)
    var result: [Float] = []
    for (index, step) in captions.steps.enumerated() {
      session.advance(Array(captions.inputs[step.range]))
      let targets = Array(captions.targets[step.range])
      let found = session.scores(of: 0..<step.rows).logProbs(of: targets)
      result += found
      // Of those that go on the same is said when the others have left.
      guard index + 1 < captions.steps.count else { continue }
      let live = captions.steps[index + 1].rows
      session.select((0..<Int32(live)).map { $0 })
      let kept = session.scores(of: 0..<live).logProbs(of: Array(targets.prefix(live)))
      #expect(relativeError(kept, Array(found.prefix(live))) < 1e-5)
    }
    return result
  }

  /// Beams that keep everything find the best captions of all, each scored by itself.
  @Test(arguments: ConditioningCase.all + ConditioningCase.mixed) func beamsFindTheBestOfAll(
    way: ConditioningCase
  ) {
    let words = 6
    let decoder = way.decoder(words: words, limit: 1.5)
    let images = ConditioningCase.images()
    let found = decoder.decode(
      images, .beam(BeamOptions(beamWidth: 40, captions: 4, maximumLength: 3)), streams: [], on: .cpu)
    var all: [[Int32]] = [[]]
    var longest = all
    for _ in 0..<3 {
      longest = longest.flatMap { caption in (4..<Int32(words)).map { caption + [$0] } }
      all += longest
    }
    for image in 0..<images.count {
      let (sequences, order) = PackedSequences.packing(
        all, imageRows: all.map { _ in Int32(image) }, start: Vocabulary.start, end: Vocabulary.end)
      let scores = TeacherForcedScores(decoder, sequences, about: images, on: .cpu)
      let totals = sequences.unpacked(scores.logProbs, order).map { $0.reduce(0, +) }
      let best = all.indices.sorted { totals[$0] > totals[$1] }.prefix(4)
      #expect(found[image].map { Array($0.words.dropLast()) } == best.map { all[$0] })
      for (hypothesis, index) in zip(found[image], best) {
        #expect(abs(Double(hypothesis.logProb) - Double(totals[index])) < 1e-4)
      }
    }
  }

  /// Nothing is said of no images.
  @Test(arguments: ConditioningCase.all + ConditioningCase.mixed) func noImagesHaveNoCaptions(
    way: ConditioningCase
  ) {
    let decoder = way.decoder()
    let none = ConditioningCase.images(0)
    #expect(decoder.decode(none, .beam(BeamOptions()), streams: [], on: .cpu).isEmpty)
    #expect(decoder.decode(none, .sample(SamplingOptions()), streams: [], on: .cpu).isEmpty)
    var session = decoder.session(for: none, on: .cpu) as any DecodingSession
    session.advance([])
    #expect(session.rows == 0)
  }

  @Test(arguments: ConditioningCase.all) func threadsChangeNothing(way: ConditioningCase) {
    let images = ConditioningCase.images()
    func gradients(_ threads: Int) -> [Tensor?] {
      let device = Device(pool: ThreadPool(threads: threads))
      var decoder = way.decoder()
      var trace = DecoderTrace()
      let rates = DropoutPass.Rates(embedding: 0.5, output: 0.5, layers: 0.5, regions: 0.5)
      _ = decoder.trainingForward(
        captions, about: images, way.pass(dropout: DropoutPass(rates, seed: 7)), into: &trace, on: device)
      let features = decoder.backward(&trace, on: device)
      return decoder.parameters.map(\.gradient) + [features.v]
    }
    let one = gradients(1)
    for threads in [2, 5] { #expect(gradients(threads) == one) }
  }

  /// A trace that served more captions and regions serves fewer.
  @Test(arguments: ConditioningCase.all) func tracesCanBeUsedAgain(way: ConditioningCase) {
    var (used, fresh) = (DecoderTrace(), DecoderTrace())
    func loss(_ sequences: PackedSequences, _ images: ImageFeatures, _ trace: inout DecoderTrace) -> [Tensor?]
    {
      var decoder = way.decoder()
      _ = decoder.trainingForward(sequences, about: images, way.pass(), into: &trace, on: .cpu)
      _ = decoder.backward(&trace, on: .cpu)
      return decoder.parameters.map(\.gradient)
    }
    let more = PackedSequences.packing(
      (0..<9).map { Array(repeating: Int32(4 + $0), count: 9 - $0) },
      imageRows: (0..<9).map { Int32($0 % 7) },
      start: Vocabulary.start, end: Vocabulary.end
    ).sequences
    _ = loss(more, ConditioningCase.images(7), &used)
    let images = ConditioningCase.images()
    #expect(loss(captions, images, &used) == loss(captions, images, &fresh))
  }
}
