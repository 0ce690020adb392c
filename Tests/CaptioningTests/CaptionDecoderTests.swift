import Captioning
import Foundation
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

/// A small decoder, its head and a batch for them, all from a seed.
struct DecoderCase {
  var head: FeatureHead
  var decoder: CaptionDecoder
  var features: Tensor
  var captions: PackedCaptions

  init(
    words: Int = 23, embedding: Int = 7, hidden: Int = 9, features: Int = 13, widths: [Int] = [11],
    layers: Int = 1, injection: Injection = .everyStep, lengths: [Int] = [5, 3, 3, 0]
  ) {
    var random = Random(seed: 21)
    head = FeatureHead(inputs: features, widths: widths) { $0.untrained(using: &random) }
    decoder = CaptionDecoder(
      CaptionDecoder.Configuration(
        vocabularySize: words, embeddingSize: embedding, hiddenSize: hidden, imageFeatureSize: widths.last!,
        layers: layers, injection: injection)
    ) { $0.untrained(using: &random) }
    self.features = Tensor(uniform: [3, features], limit: 1, using: &random)
    let sentences = lengths.map { length in
      (0..<length).map { _ in Int32(4 + random.next() % UInt64(words - 4)) }
    }
    captions =
      PackedCaptions.packing(
        sentences, imageRows: sentences.indices.map { Int32($0 % 3) }, start: 1, end: 2
      ).captions
  }

  /// Forward and backward of one training step; the loss.
  mutating func step(
    dropout: Float = 0, seed: UInt64 = 9, trace: inout CaptionDecoder.Trace, pool: ThreadPool = .shared
  ) -> Double {
    var headTrace = FeatureHead.Trace()
    let v = head.trainingForward(features, dropout: dropout, seed: seed, into: &headTrace, pool: pool)
    let logProbabilities = decoder.trainingForward(
      captions, v: v, dropout: .init(embedding: dropout, output: dropout, layers: dropout), seed: seed + 1,
      into: &trace,
      pool: pool)
    let dv = decoder.backward(&trace, pool: pool)
    head.backward(dv, &headTrace, pool: pool)
    return -logProbabilities.reduce(0.0) { $0 + Double($1) } / Double(logProbabilities.count)
  }

  var parameters: [Parameter] { head.parameters + decoder.parameters }

  mutating func set(_ path: String, _ value: Tensor) {
    head.visitParameters { if $0.path == path { $0.value = value } }
    decoder.visitParameters { if $0.path == path { $0.value = value } }
  }
}

@Suite struct CaptionDecoderTests {
  @Test(arguments: Injection.allCases, [(1, 0), (1, 0.5), (2, 0), (3, 0.5)] as [(Int, Float)])
  func gradientsAreSlopes(way: Injection, stack: (layers: Int, dropout: Float)) throws {
    let dropout = stack.dropout
    var example = DecoderCase(widths: [12, 11], layers: stack.layers, injection: way)
    // Large weights, so that gradients rise above rounding, and sums far from the ReLU's kink: two units of three live.
    var random = Random(seed: 8)
    for parameter in example.parameters {
      let (shape, inHead) = (parameter.value.shape, parameter.path.hasPrefix("encoder"))
      let bias = Tensor((0..<shape.count).map { $0 % 3 == 0 ? -1 : 1 }, shape)
      let readsHead = parameter.path == "decoder.image_to_hidden.weight"
      let weight = Tensor(uniform: shape, limit: inHead ? 0.1 : readsHead ? 0.3 : 0.5, using: &random)
      example.set(parameter.path, inHead && shape.rank == 1 ? bias : weight)
    }
    var trace = CaptionDecoder.Trace()
    _ = example.step(dropout: dropout, trace: &trace)
    for parameter in example.parameters {
      let error = gradientDisagreement(
        try #require(parameter.gradient), at: parameter.value, step: stack.layers > 1 ? 0.15 : 0.05
      ) {
        value in
        var moved = example
        moved.set(parameter.path, value)
        return moved.step(dropout: dropout, trace: &trace)
      }
      // Through three layers little of a gradient arrives at the image, and rounding shows.
      #expect(error < (stack.layers < 3 ? 5e-3 : 3e-2), "\(parameter.path)")
    }
  }

  @Test(arguments: [DecoderCase(), DecoderCase(words: 2540, embedding: 64, hidden: 64)])
  func untrainedLossIsThatOfChance(example: DecoderCase) {
    var (example, trace) = (example, CaptionDecoder.Trace())
    let words = example.decoder.configuration.vocabularySize
    #expect(abs(example.step(trace: &trace) - log(Double(words))) < 0.1)
  }

  @Test func wordsAndImagesThatAreAbsentHaveNoGradient() throws {
    var example = DecoderCase()
    var trace = CaptionDecoder.Trace()
    _ = example.step(trace: &trace)
    let gradient = try #require(example.decoder.embedding.weight.gradient)
    for word in 0..<23 {
      #expect(
        (gradient.row(word) == Tensor(zeros: [7])) == !example.captions.inputs.contains(Int32(word)),
        "\(word)")
    }
    let used = example.captions
    example.captions = PackedCaptions(
      inputs: used.inputs, targets: used.targets, batchSizes: used.batchSizes, imageRows: [0, 2, 0, 2])
    var headTrace = FeatureHead.Trace()
    let v = example.head.trainingForward(example.features, dropout: 0, seed: 1, into: &headTrace)
    _ = example.decoder.trainingForward(
      example.captions, v: v, dropout: .init(embedding: 0, output: 0), seed: 1, into: &trace)
    let dv = example.decoder.backward(&trace)
    #expect(dv.row(1) == Tensor(zeros: [11]) && dv.row(0) != Tensor(zeros: [11]))
  }

  @Test(arguments: Injection.allCases) func overfitsATinyBatch(way: Injection) {
    var example = DecoderCase(hidden: 32, widths: [32], injection: way, lengths: [5, 3, 2])
    var (trace, optimizer) = (CaptionDecoder.Trace(), Optimizer(.adam(), learningRate: 0.02))
    var loss = Double.infinity
    for _ in 0..<150 {
      loss = example.step(trace: &trace)
      var both = HeadAndDecoder(head: example.head, decoder: example.decoder)
      optimizer.update(&both, clipNorm: 5)
      (example.head, example.decoder) = (both.head, both.decoder)
    }
    #expect(loss < 0.05)
  }

  /// More positions than a block of the projection, products that are cut in pieces, dropout: the same bits.
  @Test func threadsChangeNothing() {
    let example = DecoderCase(
      words: 600, embedding: 96, hidden: 128, features: 200, widths: [256], layers: 2,
      lengths: (0..<80).map { 16 - $0 % 12 })
    #expect(example.captions.positions > 600)
    func gradients(_ threads: Int) -> ([Tensor?], Double) {
      var (example, trace) = (example, CaptionDecoder.Trace())
      let loss = example.step(dropout: 0.5, trace: &trace, pool: ThreadPool(threads: threads))
      return (example.parameters.map(\.gradient), loss)
    }
    let one = gradients(1)
    for threads in [2, 4] { #expect(gradients(threads) == one) }
  }

  /// A trace that served a larger batch serves a smaller one as a fresh one does.
  @Test func tracesCanBeUsedAgain() {
    var large = DecoderCase(layers: 2, lengths: [9, 9, 8, 7, 7, 7])
    var small = DecoderCase(layers: 2)
    var again = small
    var (used, fresh) = (CaptionDecoder.Trace(), CaptionDecoder.Trace())
    _ = large.step(trace: &used)
    #expect(small.step(trace: &used) == again.step(trace: &fresh))
    #expect(small.parameters.map(\.gradient) == again.parameters.map(\.gradient))
  }

  /// And of another depth.
  @Test func tracesFitAnyDecoder() {
    var (deep, plain) = (DecoderCase(layers: 3), DecoderCase())
    var (used, fresh) = (CaptionDecoder.Trace(), CaptionDecoder.Trace())
    var again = plain
    _ = deep.step(trace: &used)
    #expect(plain.step(trace: &used) == again.step(trace: &fresh))
  }

  @Test func layersAreNamedFromTheBottomUp() {
    let parameters = DecoderCase(layers: 3).decoder.lstm.parameters
    #expect(
      parameters.map(\.path)
        == ["", "1", "2"].flatMap { layer in
          ["weight_xh", "weight_hh", "bias"].map { "decoder.lstm\(layer).\($0)" }
        })
    #expect(parameters[3].value.shape == [36, 9] && parameters[0].value.shape == [36, 7])
    #expect(DecoderCase().decoder.lstm.parameters.map(\.path) == parameters[..<3].map(\.path))
  }

  @Test func injectionIsStoredByName() throws {
    let configuration = DecoderCase(injection: .firstStep).decoder.configuration
    let data = try JSONEncoder().encode(configuration)
    #expect(String(decoding: data, as: UTF8.self).contains("\"injection\":\"firstStep\""))
    #expect(try JSONDecoder().decode(CaptionDecoder.Configuration.self, from: data) == configuration)
  }

  /// Logits' log-probabilities, loss and all gradients of tools/golden/decoder.py, which is PyTorch in double.
  @Test(arguments: ["small", "wide", "deep"], Injection.allCases)
  func agreesWithPyTorch(size: String, way: Injection) throws {
    let file = try SafetensorsFile(path: fixture("decoder.safetensors"))
    func golden(_ name: String) throws -> Tensor { try file.tensor(named: "\(size).\(name)") }
    func integers(_ name: String) throws -> [Int32] { try golden(name).scalars.map { Int32($0) } }
    let embedding = try golden("decoder.embedding.weight").shape
    let image = try golden("decoder.image_to_hidden.weight").shape
    let source = { (asked: ParameterSpecification) throws -> Tensor in
      try file.tensor(named: "\(size).\(asked.path)", shape: asked.shape)
    }
    var decoder = try CaptionDecoder(
      CaptionDecoder.Configuration(
        vocabularySize: embedding[0], embeddingSize: embedding[1], hiddenSize: image[0] / 4,
        imageFeatureSize: image[1], layers: size == "deep" ? 2 : 1, injection: way), from: source)
    let features = try golden("features")
    var head = try FeatureHead(inputs: features.shape[1], widths: [image[1]], from: source)
    let captions = PackedCaptions(
      inputs: try integers("inputs"), targets: try integers("targets"),
      batchSizes: try integers("batch_sizes").map { Int($0) }, imageRows: try integers("image_index"))

    var (trace, headTrace) = (CaptionDecoder.Trace(), FeatureHead.Trace())
    let v = head.trainingForward(features, dropout: 0, seed: 0, into: &headTrace)
    #expect(relativeError(v, try golden("v")) < 1e-6)
    #expect(relativeError(head.forward(features), v) == 0)
    let expected = try golden("\(way.rawValue).log_probs").scalars
    #expect(relativeError(decoder.forward(captions, v: v, into: &trace), expected) < 1e-6)
    let logProbabilities = decoder.trainingForward(
      captions, v: v, dropout: .init(embedding: 0, output: 0), seed: 0, into: &trace)
    #expect(relativeError(logProbabilities, expected) < 1e-6)
    let dv = decoder.backward(&trace)
    head.backward(dv, &headTrace)
    #expect(relativeError(dv, try golden("\(way.rawValue).gradient.v")) < 1e-5)
    for parameter in head.parameters + decoder.parameters {
      let gradient = try golden("\(way.rawValue).gradient.\(parameter.path)")
      #expect(relativeError(try #require(parameter.gradient), gradient) < 1e-5, "\(parameter.path)")
    }
  }
}

private struct HeadAndDecoder: Module {
  var head: FeatureHead
  var decoder: CaptionDecoder
  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try head.visitParameters(visit)
    try decoder.visitParameters(visit)
  }
}
