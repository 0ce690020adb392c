import Decoding
import Foundation
import Language
import Support
import Tensors
import TestSupport
import Testing

@testable import Models

/// The tiny model, and the pooled maps of a few images.
private func captioner(_ metadata: [String: String] = TinyNetwork.metadata) throws -> (CaptionModel, Tensor) {
  try withTemporaryFolder { folder in
    let path = folder + "/model.safetensors"
    try TinyNetwork.writeModel(to: path, metadata: metadata)
    // The file stays mapped when its name is gone.
    let captioner = try CaptionModel(contentsOf: path, caching: .resident)
    var random = Random(seed: 3)
    return (captioner, try captioner.maps(Tensor(uniform: [5, 32, 32, 3], limit: 2, using: &random)))
  }
}

@Suite struct CaptionerTests {
  @Test(arguments: ["everyStep", "firstStep"]) func captionsAndScoresAgree(injection: String) throws {
    var metadata = TinyNetwork.metadata
    metadata["architecture"] = metadata["architecture"]?.replacingOccurrences(
      of: "everyStep", with: injection)
    let (captioner, pooled) = try captioner(metadata)
    for length in [0, 1, 6, 20] {
      let options = BeamOptions(beamWidth: 4, captions: 3, maximumLength: length)
      let all = captioner.captions(pooled, .beam(options))
      #expect(all.count == 5)
      for (image, captions) in all.enumerated() {
        let own = pooled.row(image).reshaped([1, TinyNetwork.pooledSize])
        #expect(captions.count == (length == 0 ? 1 : 3))
        #expect(captions.map(\.logProb) == captions.map(\.logProb).sorted(by: >))
        for caption in captions {
          let scored = captioner.score(Tokenizer().tokens(caption.text), own)
          #expect(scored.words.map(\.word) == caption.words.map(\.word))
          #expect(abs(scored.logProb - caption.logProb) < 1e-4)
          #expect(absoluteError(scored.words.map(\.logProb), caption.words.map(\.logProb)) < 1e-4)
          #expect(caption.words.last?.word == "</s>" && caption.words.count <= length + 1)
          #expect(abs(caption.words.reduce(0) { $0 + $1.logProb } - caption.logProb) < 1e-4)
        }
      }
    }
  }

  /// More files than are searched together: in order, a bad one costing only itself.
  @Test func filesAreCaptionedInOrder() throws {
    let (captioner, _) = try captioner()
    let kinds = [photo("decode/jpeg-444.jpg"), photo("resize/37x29.png"), "/nowhere.png"]
    let loader = ImageLoader(captioner.description.preprocessing)
    let alone = try kinds.dropLast().map {
      captioner.captions(try captioner.maps(loader.load([$0], 0..<1).images))[0][0]
    }
    for count in [0, 1, 8, 9, 2 * CaptionModel.searchSize + 3] {
      let files = (0..<count).map { kinds[$0 % 5 % 3] }
      var (places, groups): ([Int], [Int]) = ([], [])
      try captioner.caption(files) { pooled, places in
        groups.append(places.count)
        return captioner.captions(pooled)
      } found: { place, result in
        places.append(place)
        switch result {
        case .success(let captions):
          let expected = alone[place % 5 % 3]
          #expect(captions[0].text == expected.text && abs(captions[0].logProb - expected.logProb) < 1e-4)
        case .failure(let error): #expect(error.path == "/nowhere.png" && place % 5 % 3 == 2)
        }
      }
      #expect(places == Array(0..<count))
      #expect(groups.reduce(0, +) == places.count { $0 % 5 % 3 != 2 })
      #expect(groups.allSatisfy { $0 <= CaptionModel.searchSize })
    }
    struct Enough: Error {}
    #expect(throws: Enough.self) {
      try captioner.caption(Array(repeating: kinds[1], count: 40)) { pooled, _ in
        captioner.captions(pooled)
      } found: { _, _ in
        throw Enough()
      }
    }
  }

  @Test func manyCaptionsAreScoredAsEachAlone() throws {
    let (captioner, pooled) = try captioner()
    let sentences = [
      ["a", "dog", "runs"], [], ["the", "zebra"], ["snow"], ["a", "cat", "sits", "in", "the", "snow"],
    ]
    let (rows, vocabulary) = ([4, 0, 2, 2, 1], captioner.description.vocabulary)
    let found = captioner.logProbs(of: sentences.map(vocabulary.encode), rows: rows, maps: pooled)
    for (index, sentence) in sentences.enumerated() {
      let own = pooled.row(rows[index]).reshaped([1, TinyNetwork.pooledSize])
      let expected = captioner.score(sentence, own).words.map(\.logProb)
      try #require(found[index].count == sentence.count + 1)
      #expect(zip(found[index], expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    #expect(captioner.logProbs(of: [], rows: [], maps: pooled).isEmpty)
  }

  /// Images differ in their captions, and an image's do not depend on those beside it.
  @Test func captionsFollowTheImage() throws {
    let (captioner, pooled) = try captioner()
    let all = captioner.captions(pooled).map { $0[0] }
    #expect(Set(all.map(\.text)).count > 1)
    for image in 0..<5 {
      let alone = captioner.captions(pooled.row(image).reshaped([1, TinyNetwork.pooledSize]))[0][0]
      #expect(alone.text == all[image].text && abs(alone.logProb - all[image].logProb) < 1e-4)
    }
  }
}
