import Models
import Decoding
import Datasets
import Foundation
import Language
import CaptionMetrics
import Support
import Tensors
import TestSupport
import Testing

@testable import Evaluation

/// The tiny model, images with references, and their maps maps.
private struct Example {
  let captioner: CaptionModel
  let images: [CaptionedImage]
  let maps: Tensor

  init(images count: Int) throws {
    let references = [
      ["A dog runs.", "The dog runs in the snow!"], ["a cat sits"], ["the zebra , in a snow"],
      ["snow", "...", "a cat"],
    ]
    let entries = (0..<count).map { #"{"id": \#(100 + $0), "file_name": "\#($0).jpg"}"# }
    let annotations = (0..<count).flatMap { image in
      references[image % 4].map { #"{"image_id": \#(100 + image), "caption": "\#($0)"}"# }
    }
    (captioner, images) = try withTemporaryFolder { folder in
      let (json, model) = (folder + "/captions.json", folder + "/model.safetensors")
      let text =
        #"{"images": [\#(entries.joined(separator: ","))], "#
        + #""annotations": [\#(annotations.joined(separator: ","))]}"#
      try text.write(toFile: json, atomically: true, encoding: .utf8)
      try TinyNetwork.writeModel(to: model)
      return (
        try CaptionModel(contentsOf: model, caching: .resident), try CaptionDataset(path: json).images
      )
    }
    var random = Random(seed: 11)
    maps = Tensor(uniform: [count, TinyNetwork.pooledSize], limit: 2, using: &random)
  }

  var evaluator: Evaluator<LoadedModel> {
    Evaluator(
      LoadedModel(captioner, maps: maps),
      images.map { EvaluatedImage($0, captioner.description.vocabulary) })
  }

  func row(_ image: Int) -> Tensor { maps.row(image).reshaped([1, TinyNetwork.pooledSize]) }

  /// −ln p and words of all references, each image's said of the image at `seen`.
  func loss(_ seen: (Int) -> Int) -> (sum: Double, words: Int) {
    var (sum, words) = (0.0, 0)
    for (index, image) in images.enumerated() {
      for caption in image.captions {
        let scored = captioner.score(Tokenizer().tokens(caption), row(seen(index)))
        sum -= scored.words.reduce(0) { $0 + Double($1.logProb) }
        words += scored.words.count
      }
    }
    return (sum, words)
  }
}

@Suite struct EvaluatorTests {
  /// More images than are taken at once, an odd number of them.
  @Test(arguments: [1, 2, 7, 207]) func scoresAreWhatTheCaptionerSays(count: Int) throws {
    let example = try Example(images: count)
    let options = BeamOptions(beamWidth: 2, maximumLength: 8)
    var steps: [Int] = []
    let evaluation = example.evaluator.evaluate(.beam(options)) { steps.append($0) }
    let (scores, rows) = (evaluation.scores, evaluation.rows)
    #expect(steps == (count > 200 ? [100, 200, 207] : [count]))
    #expect(scores[.images] == Double(count) && rows.map(\.image.id) == (0..<count).map { 100 + $0 })

    let captions = (0..<count).map { example.captioner.captions(example.row($0), .beam(options))[0][0] }
    #expect(rows.map(\.caption.text) == captions.map(\.text))
    #expect(zip(rows, captions).allSatisfy { abs($0.caption.logProb - $1.logProb) < 1e-4 })
    let mean = captions.reduce(0) { $0 + Double($1.logProb) } / Double(count)
    #expect(abs(try #require(scores[.meanLogProb]) - mean) < 1e-4)
    #expect(scores.distinct == Double(Set(captions.map(\.text)).count) / Double(count))

    let judged = CaptionStatistics(
      zip(captions, example.images).map { caption, image in
        Sample(
          candidate: caption.words.dropLast().map(\.word),
          references: image.captions.map { Tokenizer().tokens($0) })
      })
    #expect(judged.names.map { scores[$0] } == judged.corpus)
    for (index, row) in rows.enumerated() {
      #expect(judged.names.map { row.scores[$0] } == judged.sample(index))
    }
    #expect(judged.names.map { scores[intervalOf: $0] } == judged.intervals(Bootstrap()))

    let (sum, words) = example.loss { $0 }
    #expect(abs(scores.loss - sum / Double(words)) < 1e-5)
    #expect(abs(scores.perplexity - exp(sum / Double(words))) < 1e-3)
    let shuffled = example.loss { ($0 + max(1, count / 2)) % count }
    #expect(abs(scores.mismatchedImageLoss - shuffled.sum / Double(words)) < 1e-5)
    #expect((scores.mismatchedImageLoss == scores.loss) == (count == 1))

    var (first, five) = (0, 0)
    for (index, row) in rows.enumerated() {
      let expected = example.images[index].captions.map {
        example.captioner.score(Tokenizer().tokens($0), example.row(index))
      }
      try #require(row.scoredReferences.count == expected.count)
      #expect(row.image.references == example.images[index].captions)
      #expect(zip(row.scoredReferences, expected).allSatisfy { abs($0.logProb - $1.logProb) < 1e-4 })
      let ranks = expected.flatMap { $0.words.compactMap(\.rank) }
      first += ranks.count { $0 == 1 }
      five += ranks.count { $0 <= 5 }
    }
    #expect(scores[.wordsFirst] == Double(first) / Double(words))
    #expect(scores[.wordsAmongFive] == Double(five) / Double(words))
  }

  @Test func sweptAndBestOfManyAreWhatTheSearchGives() throws {
    let example = try Example(images: 5)
    let evaluator = example.evaluator
    let widths = [1, 3].map { BeamOptions(beamWidth: $0, maximumLength: 8) }
    var steps: [Int] = []
    let points = evaluator.sweep(widths) { steps.append($0) }
    #expect(steps == [5, 10] && points.map(\.options) == widths)
    for (point, options) in zip(points, widths) {
      let scores = evaluator.evaluate(.beam(options)).scores
      #expect(point.options == options && point.seconds > 0)
      for name in CaptionStatistics.names + [.meanLogProb, .meanLength, .distinct, .images] {
        #expect(point.scores[name] != nil && point.scores[name] == scores[name], "\(name.key)")
      }
    }
    let best = BeamOptions(beamWidth: 3, captions: 2, maximumLength: 8)
    #expect(evaluator.evaluate(.beam(best)).rows.allSatisfy { $0.captions.count == 2 })
  }

  /// The ranks of retrieval from the captions' own scores.
  @Test func retrievalRanksWhatTheModelSays() throws {
    let example = try Example(images: 4)
    let retrieval = example.evaluator.retrieval(images: 3) { _ in }
    #expect(retrieval.images == 3 && retrieval.captions == 4)
    let captions = example.images[..<3].flatMap { image in image.captions.map { (image.id - 100, $0) } }
    let right = captions.map { owner, caption in
      let tokens = Tokenizer().tokens(caption)
      let scores = (0..<3).map { example.captioner.score(tokens, example.row($0)).logProb }
      return scores.allSatisfy { $0 <= scores[owner] }
    }
    #expect(retrieval.captionToImage.at1 == Double(right.count { $0 }) / 4)
    #expect(retrieval.captionToImage.at5 == 1)
  }

  /// A model that knows no ranks, and captions drawn: one of the evaluator's words, whatever is behind it.
  @Test func anyModelCanBeEvaluated() throws {
    struct Parrot: EvaluatedModel {
      let vocabulary = Vocabulary(counts: ["a": 9, "dog": 9, "cat": 9], minimumCount: 1)
      func captions(of images: [Int], _ strategy: DecodingStrategy, streams: [UInt64]) -> [[Caption]] {
        zip(images, streams).map { image, stream in
          let words = image % 2 == 0 ? ["a", "dog"] : ["stream\(stream)"]
          return [Caption(words: (words + ["</s>"]).map { .init(word: $0, logProb: -0.5) })]
        }
      }
      /// Of image i every word costs i + 1.
      func scores(of captions: [[Int32]], rows: [Int], images: [Int]) -> [Caption] {
        zip(captions, rows).map { caption, row in
          Caption(
            words: (caption + [Vocabulary.end]).map {
              .init(word: vocabulary.word(for: $0), logProb: -Float(images[row] + 1))
            })
        }
      }
    }
    let model = Parrot()
    let images = (0..<5).map { number in
      EvaluatedImage(
        id: number - 3, fileName: "\(number)", path: "\(number)", references: ["a dog"],
        tokens: [["a", "dog"]],
        encoded: [[Int32]](repeating: model.vocabulary.encode(["a", "dog"]), count: number + 1))
    }
    let evaluation = Evaluator(model, images, together: .init(captioned: 2, scored: 2)).evaluate(
      .sample(.init()), bootstrap: nil)
    #expect(
      evaluation.rows.map(\.caption.text) == [
        "a dog", "stream18446744073709551614", "a dog", "stream0", "a dog",
      ])
    let scores = evaluation.scores
    #expect(scores.loss == 55.0 / 15 && scores.perplexity == exp(55.0 / 15))
    // Image i, which has i + 1 references, is taken for image (i + 2) mod 5.
    #expect(scores.mismatchedImageLoss == 40.0 / 15)
    #expect(scores[.wordsFirst] == nil && scores[intervalOf: .cider] == nil)
    #expect(scores[.meanLogProb] == -6.5 / 5)
    #expect(evaluation.rows[2].scoredReferences.map(\.logProb) == [-9, -9, -9])
  }

  @Test func collapseIsTold() {
    var scores = Scores()
    #expect(!scores.hasCollapsed)
    scores[.distinct] = 0.04
    scores[.loss] = 3
    scores[.mismatchedImageLoss] = 3.04
    #expect(scores.hasCollapsed)
    scores[.mismatchedImageLoss] = 3.06
    #expect(!scores.hasCollapsed)
  }
}
