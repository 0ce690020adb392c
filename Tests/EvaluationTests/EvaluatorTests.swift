import Captioning
import Datasets
import Foundation
import Language
import Metrics
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
    let (scores, rows) = Evaluator(example.captioner).evaluate(
      example.images, pooled: example.pooled, options
    ) { steps.append($0) }
    #expect(steps == (count > 200 ? [100, 200, 207] : [count]))
    #expect(scores.images == count && rows.map(\.imageID) == (0..<count).map { 100 + $0 })

    let captions = (0..<count).map { example.captioner.captions(example.row($0), options)[0][0] }
    #expect(rows.map(\.caption.text) == captions.map(\.text))
    #expect(zip(rows, captions).allSatisfy { abs($0.caption.logProb - $1.logProb) < 1e-4 })
    let mean = captions.reduce(0) { $0 + Double($1.logProb) } / Double(count)
    #expect(abs(scores.meanLogProb - mean) < 1e-4)
    #expect(scores.distinct == Double(Set(captions.map(\.text)).count) / Double(count))

    let bleu = BLEU(
      zip(captions, example.images).map { caption, image in
        Sample(
          candidate: caption.words.dropLast().map(\.word), references: image.captions.map(Tokenizer().tokens))
      })
    #expect(scores.bleu == bleu.corpus)

    let (sum, words) = example.loss { $0 }
    #expect(abs(scores.loss - sum / Double(words)) < 1e-5)
    #expect(abs(scores.perplexity - exp(sum / Double(words))) < 1e-3)
    let shuffled = example.loss { ($0 + max(1, count / 2)) % count }
    #expect(abs(scores.shuffledLoss - shuffled.sum / Double(words)) < 1e-5)
    #expect((scores.shuffledLoss == scores.loss) == (count == 1))

    for (index, row) in rows.enumerated() {
      let expected = example.images[index].captions.map {
        example.captioner.score(Tokenizer().tokens($0), example.row(index)).logProb
      }
      try #require(row.references.count == expected.count)
      #expect(zip(row.references, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }
}
