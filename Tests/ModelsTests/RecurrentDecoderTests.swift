import Models
import Decoding
import Foundation
import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

extension CellName {
  /// E, which must be H where a gate reads x itself.
  func embeddingSize(_ usual: Int, hidden: Int) -> Int { cell.directInput == nil ? usual : hidden }
}

/// A small decoder, its head and a batch for them, all from a seed.
struct DecoderCase {
  var head: FeatureHead
  var decoder: any SequenceDecoder
  var features: Tensor
  var captions: PackedSequences

  init(
    words: Int = 23, embedding: Int = 7, hidden: Int = 9, features: Int = 13, widths: [Int] = [11],
    layers: Int = 1, isResidual: Bool = false, cell: CellName = .lstm, injection: Injection = .everyStep,
    lengths: [Int] = [5, 3, 3, 0]
  ) {
    var random = Random(seed: 21)
    head = FeatureHead(inputs: features, widths: widths) { $0.untrained(using: &random) }
    var description = DecoderDescription(
      vocabularySize: words, embeddingSize: cell.embeddingSize(embedding, hidden: hidden), hiddenSize: hidden,
      imageFeatureSize: widths.last!, layers: layers, cell: cell, injection: injection)
    description.isResidual = isResidual
    decoder = makeDecoder(description) { $0.untrained(using: &random) }
    self.features = Tensor(uniform: [3, features], limit: 1, using: &random)
    let sentences = lengths.map { length in
      (0..<length).map { _ in Int32(4 + random.next() % UInt64(words - 4)) }
    }
    captions =
      PackedSequences.packing(
        sentences, imageRows: sentences.indices.map { Int32($0 % 3) }, start: 1, end: 2
      ).sequences
  }

  /// Forward and backward of one training step; the loss.
  mutating func step(
    dropout: Float = 0, seed: UInt64 = 9, trace: inout DecoderTrace, pool: ThreadPool = .shared
  ) -> Double {
    let device = Device(pool: pool)
    var headTrace = FeatureHead.Trace()
    let v = head.trainingForward(
      features, dropout: dropout, seed: seed, into: &headTrace, on: device)
    let logProbabilities = decoder.trainingForward(
      captions, about: ImageFeatures(v: v),
      TrainingPass(
        dropout: .init(.init(embedding: dropout, output: dropout, layers: dropout), seed: seed + 1)),
      into: &trace, on: device)
    head.backward(decoder.backward(&trace, on: device).v, &headTrace, on: device)
    return -logProbabilities.reduce(0.0) { $0 + Double($1) } / Double(logProbabilities.count)
  }

  var parameters: [Parameter] { head.parameters + decoder.parameters }

  mutating func set(_ path: String, _ value: Tensor) {
    head.visitParameters { if $0.path == path { $0.value = value } }
    decoder.visitParameters { if $0.path == path { $0.value = value } }
  }
}

@Suite struct RecurrentDecoderTests {
  static let cells = CellName.allCases

  @Test(
    arguments: [
      (.everyStep, 1, 0, false), (.firstStep, 1, 0.5, false), (.firstStep, 2, 0, false),
      (.everyStep, 3, 0.5, false), (.everyStep, 3, 0.5, true),
    ]
      as [(Injection, Int, Float, Bool)], cells)
  func gradientsAreSlopes(
    way: (injection: Injection, layers: Int, dropout: Float, isResidual: Bool), cell: CellName
  ) throws {
    let dropout = way.dropout
    var example = DecoderCase(
      widths: [12, 11], layers: way.layers, isResidual: way.isResidual, cell: cell, injection: way.injection)
    // Large weights, so that gradients rise above rounding, and sums far from the ReLU's kink: two units of three live.
    var random = Random(seed: 8)
    for parameter in example.parameters {
      let (shape, inHead) = (parameter.value.shape, parameter.path.hasPrefix("encoder"))
      let bias = Tensor((0..<shape.count).map { $0 % 3 == 0 ? -1 : 1 }, shape)
      let readsHead = parameter.path == "decoder.image_to_hidden.weight"
      let limit: Float = inHead ? 0.1 : readsHead ? 0.3 : 0.5
      let weight =
        parameter.path.hasPrefix("decoder.\(cell.rawValue)")
        ? smoothValue(ofCell: cell.rawValue, parameter.path, shape, limit: limit, using: &random)
        : Tensor(uniform: shape, limit: limit, using: &random)
      example.set(parameter.path, inHead && shape.rank == 1 ? bias : weight)
    }
    var trace = DecoderTrace()
    _ = example.step(dropout: dropout, trace: &trace)
    for parameter in example.parameters {
      let error = gradientDisagreement(
        try #require(parameter.gradient), at: parameter.value,
        step: [0.03, 0.15, 0.05][way.layers - 1]
      ) {
        value in
        var moved = example
        moved.set(parameter.path, value)
        return moved.step(dropout: dropout, trace: &trace)
      }
      // Through several layers little of a gradient arrives at the image, and rounding shows.
      #expect(error < [5e-3, 1e-2, 6e-2][way.layers - 1], "\(parameter.path)")
    }
  }

  @Test(arguments: [DecoderCase(), DecoderCase(words: 2540, embedding: 64, hidden: 64)])
  func untrainedLossIsThatOfChance(example: DecoderCase) {
    var (example, trace) = (example, DecoderTrace())
    let words = example.decoder.vocabularySize
    #expect(abs(example.step(trace: &trace) - log(Double(words))) < 0.1)
  }

  @Test func wordsAndImagesThatAreAbsentHaveNoGradient() throws {
    var example = DecoderCase()
    var trace = DecoderTrace()
    _ = example.step(trace: &trace)
    let gradient = try #require(
      example.decoder.parameters.first { $0.path == "decoder.embedding.weight" }?.gradient)
    for word in 0..<23 {
      #expect(
        (gradient.row(word) == Tensor(zeros: [7])) == !example.captions.inputs.contains(Int32(word)),
        "\(word)")
    }
    let used = example.captions
    example.captions = PackedSequences(
      inputs: used.inputs, targets: used.targets, batchSizes: used.batchSizes, imageRows: [0, 2, 0, 2])
    var headTrace = FeatureHead.Trace()
    let v = example.head.trainingForward(example.features, dropout: 0, seed: 1, into: &headTrace, on: .cpu)
    _ = example.decoder.trainingForward(
      example.captions, about: ImageFeatures(v: v), TrainingPass(), into: &trace, on: .cpu)
    let dv = example.decoder.backward(&trace, on: .cpu).v
    #expect(dv.row(1) == Tensor(zeros: [11]) && dv.row(0) != Tensor(zeros: [11]))
  }

  @Test(arguments: [Injection.everyStep, .firstStep], cells) func overfitsATinyBatch(
    way: Injection, cell: CellName
  ) {
    var example = DecoderCase(hidden: 32, widths: [32], cell: cell, injection: way, lengths: [5, 3, 2])
    var (trace, optimizer) = (DecoderTrace(), Optimizer(.adam(), learningRate: 0.02))
    var loss = Double.infinity
    for _ in 0..<150 {
      loss = example.step(trace: &trace)
      var both = HeadAndDecoder(head: example.head, decoder: example.decoder)
      optimizer.update(&both, clipNorm: 5, on: .cpu)
      (example.head, example.decoder) = (both.head, both.decoder)
    }
    #expect(loss < 0.05)
  }

  /// More positions than a block of the projection, products that are cut in pieces, dropout: the same bits.
  @Test(arguments: cells) func threadsChangeNothing(cell: CellName) {
    let example = DecoderCase(
      words: 600, embedding: 96, hidden: 128, features: 200, widths: [256], layers: 2, cell: cell,
      lengths: (0..<80).map { 16 - $0 % 12 })
    #expect(example.captions.positions > 600)
    func gradients(_ threads: Int) -> ([Tensor?], Double) {
      var (example, trace) = (example, DecoderTrace())
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
    var (used, fresh) = (DecoderTrace(), DecoderTrace())
    _ = large.step(trace: &used)
    #expect(small.step(trace: &used) == again.step(trace: &fresh))
    #expect(small.parameters.map(\.gradient) == again.parameters.map(\.gradient))
  }

  /// And of another depth, and another cell.
  @Test func tracesFitAnyDecoder() {
    var deep = DecoderCase(layers: 3, cell: CellName(GRU.self))
    var plain = DecoderCase()
    var (used, fresh) = (DecoderTrace(), DecoderTrace())
    var again = plain
    _ = deep.step(trace: &used)
    #expect(plain.step(trace: &used) == again.step(trace: &fresh))
  }

  @Test(arguments: cells) func layersAreNamedFromTheBottomUp(cell: CellName) {
    func own(_ layers: Int) -> [Parameter] {
      DecoderCase(layers: layers, cell: cell).decoder.parameters.filter {
        $0.path.contains(".\(cell.rawValue)")
      }
    }
    let names =
      ["weight_xh"] + (cell.cell.recurrentGates.isEmpty ? [] : ["weight_hh"]) + ["bias"]
      + (cell.cell.peepholes.isEmpty ? [] : ["peephole"])
    #expect(
      own(3).map(\.path)
        == ["", "1", "2"].flatMap { layer in
          names.map { "decoder.\(cell.rawValue)\(layer).\($0)" }
        })
    let shapes = [
      "weight_xh": [9 * cell.cell.inputGates.count, cell.embeddingSize(7, hidden: 9)],
      "weight_hh": [9 * cell.cell.recurrentGates.count, 9], "bias": [9 * cell.cell.gates],
      "peephole": [3, 9],
    ]
    #expect(own(1).map(\.value.shape.dimensions) == names.map { shapes[$0]! })
    #expect(own(3)[names.count].value.shape == [9 * cell.cell.inputGates.count, 9])
    #expect(own(1).map(\.path) == own(3)[..<names.count].map(\.path))
  }

  /// What the model files of today are made of.
  @Test func parametersHaveTheNamesOfModelFiles() {
    #expect(
      DecoderCase().decoder.parameters.map { "\($0.path) \($0.value.shape)" } == [
        "decoder.embedding.weight [23, 7]", "decoder.lstm.weight_xh [36, 7]",
        "decoder.lstm.weight_hh [36, 9]", "decoder.lstm.bias [36]",
        "decoder.image_to_hidden.weight [36, 11]", "decoder.output.weight [23, 9]",
        "decoder.output.bias [23]",
      ])
  }

  /// Sizes of tools/golden/decoder.py and cells.py, which are PyTorch in double precision.
  struct GoldenCase: Sendable, CustomTestStringConvertible {
    let file: String
    let prefix: String
    let cell: CellName
    let layers: Int
    var isResidual = false
    var testDescription: String { "\(cell.rawValue), \(prefix)" }

    static let all =
      [("small", 1), ("wide", 1), ("deep", 2)].map {
        GoldenCase(file: "decoder.safetensors", prefix: $0.0, cell: .lstm, layers: $0.1)
      }
      + recurrentCells.dropFirst().flatMap { cell in
        [("", 1), (".deep", 2)].map {
          GoldenCase(
            file: "cells.safetensors", prefix: cell.name + $0.0, cell: CellName(cell), layers: $0.1)
        }
      } + [
        GoldenCase(
          file: "cells.safetensors", prefix: "lstm.residual", cell: .lstm, layers: 3, isResidual: true)
      ]
  }

  /// Log-probabilities, loss and all gradients.
  @Test(arguments: GoldenCase.all, [Injection.everyStep, .firstStep])
  func agreesWithPyTorch(example: GoldenCase, way: Injection) throws {
    let file = try SafetensorsFile(path: fixture(example.file))
    func golden(_ name: String) throws -> Tensor { try file.tensor(named: "\(example.prefix).\(name)") }
    func integers(_ name: String) throws -> [Int32] { try golden(name).scalars.map { Int32($0) } }
    let embedding = try golden("decoder.embedding.weight").shape
    let image = try golden("decoder.image_to_hidden.weight").shape
    let hidden = try golden("decoder.output.weight").shape[1]
    let source = { (asked: ParameterSpecification) throws -> Tensor in
      try file.tensor(named: "\(example.prefix).\(asked.path)", shape: asked.shape)
    }
    var description = DecoderDescription(
      vocabularySize: embedding[0], embeddingSize: embedding[1], hiddenSize: hidden,
      imageFeatureSize: image[1],
      layers: example.layers, cell: example.cell, injection: way)
    description.isResidual = example.isResidual
    var decoder = try makeDecoder(description, from: source)
    let features = try golden("features")
    var head = try FeatureHead(inputs: features.shape[1], widths: [image[1]], from: source)
    let captions = PackedSequences(
      inputs: try integers("inputs"), targets: try integers("targets"),
      batchSizes: try integers("batch_sizes").map { Int($0) }, imageRows: try integers("image_index"))

    var trace = DecoderTrace()
    var headTrace = FeatureHead.Trace()
    let v = head.trainingForward(features, dropout: 0, seed: 0, into: &headTrace, on: .cpu)
    #expect(relativeError(v, try golden("v")) < 1e-6)
    #expect(relativeError(head.forward(features, on: .cpu), v) == 0)
    let images = ImageFeatures(v: v)
    let expected = try golden("\(way.rawValue).log_probs").scalars
    let scores = TeacherForcedScores(decoder, captions, about: images, on: .cpu)
    #expect(relativeError(scores.logProbs, expected) < 1e-6)
    let logProbabilities = decoder.trainingForward(
      captions, about: images, TrainingPass(), into: &trace, on: .cpu)
    #expect(relativeError(logProbabilities, expected) < 1e-6)
    let dv = decoder.backward(&trace, on: .cpu).v
    head.backward(dv, &headTrace, on: .cpu)
    #expect(relativeError(dv, try golden("\(way.rawValue).gradient.v")) < 1e-5)
    for parameter in head.parameters + decoder.parameters {
      let gradient = try golden("\(way.rawValue).gradient.\(parameter.path)")
      #expect(relativeError(try #require(parameter.gradient), gradient) < 1e-5, "\(parameter.path)")
    }
  }
}

private struct HeadAndDecoder: Module {
  var head: FeatureHead
  var decoder: any SequenceDecoder
  mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try head.visitParameters(visit)
    try decoder.visitParameters(visit)
  }
}
