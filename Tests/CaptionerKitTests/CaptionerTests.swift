import CaptionerKit
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct CaptionerTests {
  private static let photos = ["decode/jpeg-444.jpg", "decode/png-rgb.png", "decode/png-palette.png"].map(
    photo)

  private static func withCaptioner(_ body: (Captioner, String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = folder.path + "/model.safetensors"
    try TinyNetwork.writeModel(to: model)
    try await body(Captioner(contentsOf: model), folder.path)
  }

  @Test func captionsAndScores() async throws {
    try await Self.withCaptioner { captioner, _ in
      let best = try captioner.caption(contentsOf: Self.photos[0])
      #expect(!best.text.isEmpty && best.words.last?.text == "</s>" && best.confidence == nil)
      #expect(abs(best.logProb - best.words.reduce(0) { $0 + $1.logProb }) < 1e-5 && best.logProb < 0)
      let again = try captioner.score(best.text, ofImageAt: Self.photos[0])
      #expect(again.text == best.text && abs(again.logProb - best.logProb) < 1e-4)
      #expect(again.words.allSatisfy { ($0.rank ?? 0) >= 1 })
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.photos[0])))
      #expect(try captioner.captions(decoding: bytes) == [best])
      #expect(throws: CaptionerError.noWords("…")) { try captioner.score("…", ofImageAt: Self.photos[0]) }
      #expect(captioner.vocabulary == Array(TinyNetwork.words.dropFirst(4)))
    }
  }

  @Test func theExamplesRun() async throws {
    try await Self.withCaptioner { captioner, _ in
      let described = try describe(Self.photos[0], model: captioner.path)
      #expect(described.hasPrefix(try captioner.caption(contentsOf: Self.photos[0]).text))
      let variations = try variations(Self.photos[0], with: captioner)
      #expect(variations.count == 10 && variations[0].logProb >= variations[4].logProb)
      let lines = try await describeAll(Self.photos + ["/nowhere.jpg"], with: captioner)
      #expect(lines.count == 4 && lines[3].contains("/nowhere.jpg"))
      for (line, path) in zip(lines, Self.photos) {
        #expect(line == "\(path): \(try captioner.caption(contentsOf: path))")
      }
    }
  }

  /// More files than may wait to be taken, in their order; and a reader who stops early is not waited for.
  @Test func manyFilesComeInOrder() async throws {
    try await Self.withCaptioner { captioner, _ in
      let paths = (0..<300).map { Self.photos[$0 % 3] }
      var found: [String] = []
      for try await file in captioner.captions(ofFiles: paths) { found.append(file.path) }
      #expect(found == paths)
      var taken = 0
      for try await _ in captioner.captions(ofFiles: paths) {
        taken += 1
        if taken == 3 { break }
      }
      #expect(taken == 3)
      for try await _ in captioner.captions(ofFiles: []) { taken += 1 }
      #expect(taken == 3)
    }
  }

  /// Several tasks at once, each with the same answer.
  @Test func tasksShareACaptioner() async throws {
    try await Self.withCaptioner { captioner, _ in
      let expected = try Self.photos.map { try captioner.caption(contentsOf: $0) }
      try await withThrowingTaskGroup(of: (Int, Caption).self) { group in
        for number in 0..<12 {
          group.addTask { (number % 3, try captioner.caption(contentsOf: Self.photos[number % 3])) }
        }
        var count = 0
        for try await (photo, caption) in group {
          #expect(caption == expected[photo])
          count += 1
        }
        #expect(count == 12)
      }
    }
  }

  /// A model that is no model is told by the sequence, not by a trap.
  @Test func filesOfAMissingModelFail() async throws {
    try await Self.withCaptioner { captioner, _ in
      try FileManager.default.removeItem(atPath: captioner.path)
      await #expect(throws: (any Error).self) {
        for try await _ in captioner.captions(ofFiles: Self.photos) {}
      }
    }
  }

  @Test func trainsAndEvaluates() async throws {
    try await Self.withCaptioner { captioner, folder in
      let names = try Self.photos.map { path in
        let name = URL(fileURLWithPath: path).lastPathComponent
        try FileManager.default.copyItem(atPath: path, toPath: folder + "/" + name)
        return name
      }
      let images = names.enumerated().map { #"{"id": \#($0), "file_name": "\#($1)"}"# }
      let texts = ["a dog runs in the snow", "a cat sits", "the dog sits in the snow"]
      let annotations = texts.enumerated().map {
        #"{"id": \#($0), "image_id": \#($0), "caption": "\#($1)"}"#
      }
      let captions = folder + "/captions.json"
      try
        #"{"images": [\#(images.joined(separator: ","))], "annotations": [\#(annotations.joined(separator: ","))]}"#
        .write(toFile: captions, atomically: true, encoding: .utf8)
      let scores = try train(
        captions: captions, images: folder, encoder: captioner.path, folder: folder + "/run")
      #expect(scores[.images] == 3 && scores.perplexity > 1 && scores.perplexity < 100)
    }
  }
}

@Suite struct CharacterModelTests {
  private static let lines = (0..<24).map { number in
    let animals = ["dog", "cat", "bird", "horse"]
    let verbs = ["runs", "sits", "sings"]
    return "the \(animals[number % 4]) \(verbs[number % 3])"
  }

  /// It learns the lines, so that what it makes up is spelt like them; what it never saw is less likely.
  @Test func learnsToSpell() {
    var model = CharacterModel(Self.lines)
    let first = model.learn(Self.lines)
    for _ in 0..<150 { _ = model.learn(Self.lines) }
    let last = model.loss(of: Self.lines)
    #expect(first > 2.5 && last < 0.3)
    #expect(model.loss(of: ["snur god eht"]) > last + 2)
    let drawn = model.lines(20)
    #expect(drawn.count == 20)
    #expect(drawn.count { $0.hasPrefix("the ") } > 15, "\(drawn)")
    #expect(drawn == model.lines(20))
    #expect(model.lines(20, seed: 2) != drawn)
  }
}
