import Decoding
import Kernels
import Language
import Layers
import Models
import Support
import TestSupport
import Tensors
import Testing

private let sentences: [[Int32]] = [[5, 6, 7, 8, 9], [4, 10, 11], [12, 4, 5], []]

/// Sentences, each about the row of features that is said.
private func packed(_ rows: [Int32]) -> PackedSequences {
  PackedSequences.packing(sentences, imageRows: rows, start: Vocabulary.start, end: Vocabulary.end).sequences
}

/// Whether a parameter is of what reads images: not the words, the recurrent layers, or what one tells the other.
private func readsImages(_ path: String) -> Bool {
  ![
    "embedding", "output", "lstm", "lstm1", "feedback", "memory", "word_to_multimodal",
    "hidden_to_multimodal",
  ].contains(path.split(separator: ".")[1])
}

/// Of what is no image nothing is added, however the image enters.
@Suite struct UnseenImagesTests {
  private static let ways = ConditioningCase.all + ConditioningCase.mixed

  @Test(arguments: ways) func whatReadsImagesIsOfNoAccount(way: ConditioningCase) throws {
    var decoder = way.decoder()
    let images = ConditioningCase.images(0).withUnseen()
    let text = packed([0, 0, 0, 0])
    let dropout = DropoutPass(.init(embedding: 0.3, output: 0.4, layers: 0.5, regions: 0.5), seed: 6)
    var trace = DecoderTrace()
    var pass = way.pass(dropout: dropout)
    (pass.reconstructionWeight, pass.regionsLearn) = (0.5, true)
    let found = decoder.trainingForward(text, about: images, pass, into: &trace, on: .cpu)
    let gradients = decoder.backward(&trace, on: .cpu)
    // What W_ih·v has to say of the row is dropped with it.
    let injects = way.conditioning == .gates || way.conditioning == .visualMemory
    #expect(gradients.v.scalars.allSatisfy { $0 == 0 } || injects || way.conditioning.attends)
    for parameter in decoder.parameters {
      let gradient = try #require(parameter.gradient)
      #expect(gradient.scalars.allSatisfy { $0 == 0 } == readsImages(parameter.path), "\(parameter.path)")
    }
    var other = decoder
    var random = Random(seed: 77)
    other.visitParameters {
      if readsImages($0.path) { $0.value = Tensor(uniform: $0.value.shape, limit: 2, using: &random) }
    }
    let same = other.trainingForward(text, about: images, pass, into: &trace, on: .cpu)
    #expect(same == found)
  }

  /// Captions and text in one batch: those about images are as without the others, and gradients are slopes.
  @Test(arguments: ways) func besideImages(way: ConditioningCase) throws {
    var decoder = way.decoder()
    let images = ConditioningCase.images(2)
    var trace = DecoderTrace()
    // The third row of the mixed batch is no image.
    func logProbs(_ decoder: inout any SequenceDecoder, _ rows: [Int32], _ images: ImageFeatures) -> [Float] {
      decoder.trainingForward(packed(rows), about: images, TrainingPass(), into: &trace, on: .cpu)
    }
    let alone = logProbs(&decoder, [0, 1, 1, 0], images)
    let mixed = logProbs(&decoder, [0, 2, 1, 2], images.withUnseen())
    _ = decoder.backward(&trace, on: .cpu)
    let sequences = packed([0, 1, 1, 0])
    for (place, sequence) in sequences.sequenceOfPosition.enumerated() where [0, 2].contains(sequence) {
      #expect(abs(alone[place] - mixed[place]) < 1e-5)
    }
    #expect(alone != mixed)
    // Reconstruction has no part in this loss.
    for parameter in decoder.parameters where !parameter.path.contains("reconstruction") {
      let error = gradientDisagreement(try #require(parameter.gradient), at: parameter.value) { value in
        var moved = decoder
        moved.visitParameters { if $0.path == parameter.path { $0.value = value } }
        let found = logProbs(&moved, [0, 2, 1, 2], images.withUnseen())
        return -found.reduce(0.0) { $0 + Double($1) } / Double(found.count)
      }
      #expect(error < 2e-2, "\(parameter.path)")
    }
  }

  /// With W_ih·v in the gates it is the language model that has no image.
  @Test func isALanguageModel() throws {
    let way = ConditioningCase.all[2]
    var decoder = way.decoder()
    let parameters = Dictionary(uniqueKeysWithValues: decoder.parameters.map { ($0.path, $0.value) })
    var alone: RecurrentDecoder<LSTM, Unconditioned> = RecurrentDecoder(
      way.description(), conditioning: { _ in Unconditioned() }
    ) { parameters[$0.path]! }
    var (trace, own) = (DecoderTrace(), DecoderTrace())
    let text = packed([0, 0, 0, 0])
    let expected = alone.trainingForward(
      text, about: ImageFeatures(unseen: 1), TrainingPass(), into: &own, on: .cpu)
    let found = decoder.trainingForward(
      text, about: ConditioningCase.images(0).withUnseen(), TrainingPass(), into: &trace, on: .cpu)
    #expect(found == expected)
  }

  @Test func rowsOfImages() {
    let images = ConditioningCase.images(3)
    let some = images.rows([2, 0])
    #expect(some.v.row(0) == images.v.row(2) && some.v.row(1) == images.v.row(0) && some.count == 2)
    let more = images.withUnseen()
    #expect(more.count == 4 && more.unseen == 1 && more.v.row(3) == Tensor(zeros: [11]))
    #expect(more.rows([0, 1, 2]).v == images.v && more.rows([1]).regions == images.rows([1]).regions)
  }
}
