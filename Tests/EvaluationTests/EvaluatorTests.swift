import Captioning
import Datasets
import Foundation
import Language
import Metrics
import Support
import Tensors
import TestSupport
import Testing

@testable import Evaluation

/// The tiny model, images with references, and their pooled maps.
private struct Example {
  let captioner: Captioner
  let images: [CaptionedImage]
  let pooled: Tensor

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
        try Captioner(modelAt: model, residency: .resident), try CaptionDataset(path: json).images
      )
    }
    var random = Random(seed: 11)
    pooled = Tensor(uniform: [count, TinyNetwork.pooledSize], limit: 2, using: &random)
  }

  func row(_ image: Int) -> Tensor { pooled.row(image).reshaped([1, TinyNetwork.pooledSize]) }

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
    let options = BeamSearch.Options(beamWidth: 2, maximumLength: 8)
    var steps: [Int] = []
    let evaluator = Evaluator(example.captioner, example.images, pooled: example.pooled)
    let evaluation = evaluator.evaluate(options) { steps.append($0) }
    let (scores, rows) = (evaluation.scores, evaluation.rows)
    #expect(steps == (count > 200 ? [100, 200, 207] : [count]))
    #expect(scores.images == count && rows.map(\.imageID) == (0..<count).map { 100 + $0 })

    let captions = (0..<count).map { example.captioner.captions(example.row($0), options)[0][0] }
    #expect(rows.map(\.caption.text) == captions.map(\.text))
    #expect(zip(rows, captions).allSatisfy { abs($0.caption.logProb - $1.logProb) < 1e-4 })
    let mean = captions.reduce(0) { $0 + Double($1.logProb) } / Double(count)
    #expect(abs(scores.meanLogProb - mean) < 1e-4)
    #expect(scores.distinct == Double(Set(captions.map(\.text)).count) / Double(count))

    let judged = CaptionScores(
      zip(captions, example.images).map { caption, image in
        Sample(
          candidate: caption.words.dropLast().map(\.word),
          references: image.captions.map { Tokenizer().tokens($0) })
      })
    #expect(scores.bleu + [scores.rougeL, scores.cider] == judged.corpus)
    #expect(rows.map(\.cider) == judged.cider.perSample && rows.map(\.rougeL) == judged.rougeL.perSample)
    #expect(Set(scores.intervals.keys) == Set(CaptionScores.names))

    let (sum, words) = example.loss { $0 }
    #expect(abs(scores.loss - sum / Double(words)) < 1e-5)
    #expect(abs(scores.perplexity - exp(sum / Double(words))) < 1e-3)
    let shuffled = example.loss { ($0 + max(1, count / 2)) % count }
    #expect(abs(scores.shuffledLoss - shuffled.sum / Double(words)) < 1e-5)
    #expect((scores.shuffledLoss == scores.loss) == (count == 1))

    var (first, five) = (0, 0)
    for (index, row) in rows.enumerated() {
      let expected = example.images[index].captions.map {
        example.captioner.score(Tokenizer().tokens($0), example.row(index))
      }
      try #require(row.scoredReferences.count == expected.count)
      #expect(row.references == example.images[index].captions)
      #expect(zip(row.scoredReferences, expected).allSatisfy { abs($0.logProb - $1.logProb) < 1e-4 })
      let ranks = expected.flatMap { $0.words.compactMap(\.rank) }
      first += ranks.count { $0 == 1 }
      five += ranks.count { $0 <= 5 }
    }
    #expect(scores.wordsFirst == Double(first) / Double(words))
    #expect(scores.wordsAmongFive == Double(five) / Double(words))
  }

  @Test func sweptAndBestOfManyAreWhatTheSearchGives() throws {
    let example = try Example(images: 5)
    let evaluator = Evaluator(example.captioner, example.images, pooled: example.pooled)
    let widths = [1, 3].map { BeamSearch.Options(beamWidth: $0, maximumLength: 8) }
    var steps: [Int] = []
    let points = evaluator.sweep(widths) { steps.append($0) }
    #expect(steps == [5, 10])
    for (point, options) in zip(points, widths) {
      let scores = evaluator.evaluate(options) { _ in }.scores
      #expect(point.options == options && point.bleu == scores.bleu && point.cider == scores.cider)
      #expect(point.meanLogProb == scores.meanLogProb && point.meanLength == scores.meanLength)
      #expect(point.seconds > 0)
    }
    let best = BeamSearch.Options(beamWidth: 3, captions: 2, maximumLength: 8)
    #expect(evaluator.evaluate(best) { _ in }.rows.allSatisfy { $0.captions.count == 2 })
  }

  /// The ranks of retrieval from the captions' own scores.
  @Test func retrievalRanksWhatTheModelSays() throws {
    let example = try Example(images: 4)
    let retrieval = Evaluator(example.captioner, example.images, pooled: example.pooled)
      .retrieval(images: 3) { _ in }
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
}
