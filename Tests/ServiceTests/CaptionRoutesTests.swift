import Decoding
import Foundation
import Imaging
import Language
import Models
import TestSupport
import Testing

@testable import Service

@Suite struct CaptionRoutesTests {
  private static let usual = DecodingStrategy.beam(BeamOptions(minimumLength: 1))

  @Test func anImageByItself() async throws {
    try await TestService.with { service async throws in
      let reply = try await service.post("/v1/captions?captions=2", TestService.photos[0])
      #expect(reply.status == 200 && reply.headers["content-type"] == "application/json")
      let best = DecodingStrategy.beam(BeamOptions(captions: 2, minimumLength: 1))
      #expect(try reply.captions() == [service.expected(TestService.photos[0], best)])
      let result = try #require((try reply.json()["results"] as? [[String: Any]])?.first)
      let caption = try #require((result["captions"] as? [[String: Any]])?.first)
      #expect(try result["image"] as? String == "photo" && reply.json()["model"] as? String == "model")
      #expect((caption["words"] as? [[String: Any]])?.last?["word"] as? String == "</s>")
      #expect(caption["log_prob"] is Double && caption["normalized_log_prob"] is Double)
      #expect(
        try await service.post("/v1/captions", TestService.photos[1], type: "application/octet-stream").status
          == 200)
    }
  }

  /// Only the first of them waits for others.
  @Test func oneAfterTheOtherDoesNotWait() async throws {
    try await TestService.with({ $0.batchDelay = .seconds(1) }) { service async throws in
      let time = try await ContinuousClock().measure {
        for _ in 0..<20 {
          let reply = try await service.post("/v1/captions", TestService.photos[0])
          #expect(reply.status == 200)
        }
      }
      #expect(time < .seconds(15))
    }
  }

  @Test func severalImages() async throws {
    try await TestService.with { service async throws in
      let expected = try TestService.photos.map { try service.expected($0, Self.usual) }
      let parts = zip(["a.jpg", "b.png", "ü\\\".png"], TestService.photos).map { (fileHeaders($0), $1) }
      let reply = try await service.post(
        "/v1/captions", multipartForm(parts + [(fieldHeaders("beam_width"), [51])]),
        type: "multipart/form-data; boundary=b")
      #expect(try reply.captions() == expected)
      let names = (try reply.json()["results"] as? [[String: Any]])?.compactMap { $0["image"] as? String }
      #expect(names == ["a.jpg", "b.png", "ü\".png"])
      let images = TestService.base64.map { "\"\($0)\"" }.joined(separator: ",")
      #expect(
        try await service.post("/v1/captions", json: #"{"images": [\#(images)], "beam_width": 3}"#).captions()
          == expected)
      let url = "data:image/png;base64," + TestService.base64[1]
      #expect(
        try await service.post("/v1/captions", json: #"{"images": "\#(url)"}"#).captions() == [expected[1]])
    }
  }

  /// One that can't be read costs itself alone; where there is no other, it is the answer.
  @Test func badImages() async throws {
    try await TestService.with { service async throws in
      let cut = Array(TestService.photos[0].prefix(TestService.photos[0].count / 2))
      let reply = try await service.post(
        "/v1/captions",
        multipartForm([(fileHeaders("cut.jpg"), cut), (fileHeaders("b.png"), TestService.photos[1])]),
        type: "multipart/form-data; boundary=b")
      let results = try #require(try reply.json()["results"] as? [[String: Any]])
      #expect(reply.status == 200 && results[1]["captions"] != nil && results[0]["captions"] == nil)
      #expect((results[0]["error"] as? String)?.hasPrefix("cut.jpg: expected a whole JPEG image") == true)
      let alone = try await service.post("/v1/captions", cut)
      #expect(alone.status == 422 && alone.headers["content-type"] == "application/problem+json")
      #expect(alone.detail.hasPrefix("photo: expected a whole JPEG image"))
      #expect(try alone.json()["status"] as? Int == 422 && alone.json()["title"] is String)
      #expect(try await service.post("/v1/captions", Array("%PDF, say".utf8)).status == 415)
      #expect(try await service.post("/v1/captions", []).status == 400)
      #expect(try await service.post("/v1/captions", TestService.photos[0], type: "text/plain").status == 415)
      #expect(try await service.post("/v1/captions?forbid=zebra", TestService.photos[0]).status == 422)
      #expect(
        try await service.post("/v1/captions", json: #"{"images": ["?"]}"#).detail.hasPrefix(
          "images[0]: expected"))
      #expect(
        try await service.post("/v1/captions", json: #"{"images": [3]}"#).detail.hasPrefix(
          "images[0]: expected base64"))
      let remote = try await service.post("/v1/captions", json: #"{"images": ["http://127.0.0.1/a.jpg"]}"#)
      #expect(remote.status == 400 && remote.detail.contains("none is fetched"))
    }
  }

  /// The same seed, the same captions, whoever shares the batch.
  @Test func drawnCaptions() async throws {
    try await TestService.with({ $0.batchDelay = .milliseconds(100) }) { service async throws in
      let path = "/v1/captions?sample=true&captions=5&seed=7"
      async let first = service.post(path, TestService.photos[0])
      async let other = service.post(path, TestService.photos[1])
      let alone = try await service.post(path, TestService.photos[0])
      #expect(try await first.captions() == alone.captions())
      #expect(try await other.status == 200)
      let expected = SamplingOptions(captions: 5, seed: 7, minimumLength: 1)
      #expect(
        try alone.captions() == [service.expected(TestService.photos[0], .sample(expected))])
      #expect(try await service.post(path + "8", TestService.photos[0]).captions() != alone.captions())
    }
  }

  @Test func explanations() async throws {
    try await TestService.with { service async throws in
      let reply = try await service.post("/v1/captions?explain=true", TestService.photos[0])
      let result = try #require((try reply.json()["results"] as? [[String: Any]])?.first)
      let explanation = try #require(result["explanation"] as? [String: Any])
      #expect(explanation["kind"] as? String == "occlusion" && explanation["rows"] as? Int == 7)
      let words = ((result["captions"] as? [[String: Any]])?.first?["words"] as? [Any])?.count
      let weights = try #require(explanation["weights"] as? [[Double]])
      #expect(weights.count == words && weights.allSatisfy { $0.count == 49 } && explanation["crop"] == nil)
    }
  }

  @Test func scores() async throws {
    try await TestService.with { service async throws in
      let model = try CaptionModel(contentsOf: service.model, caching: .streamed, on: .cpu)
      let image = try ImageReader().fitted(
        decoding: TestService.photos[0], name: "", to: model.description.preprocessing
      ).image
      let maps = try model.maps(ImageLoader(model.description.preprocessing).input([image]))
      let expected = ["a dog runs", "the zebra"].map {
        Double(model.score(GivenCaption($0, model.description.vocabulary).words, maps).logProb)
      }
      let replies = [
        try await service.post(
          "/v1/scores?captions=a+dog+runs&captions=the%20zebra&runner_ups=2", TestService.photos[0]),
        try await service.post(
          "/v1/scores",
          json:
            #"{"image": "\#(TestService.base64[0])", "captions": ["a dog runs", "the zebra"], "runner_ups": 2}"#
        ),
        try await service.post(
          "/v1/scores",
          multipartForm([
            (fileHeaders("a.jpg"), TestService.photos[0]),
            (fieldHeaders("captions"), Array("a dog runs".utf8)),
            (fieldHeaders("captions"), Array("the zebra".utf8)), (fieldHeaders("runner_ups"), [50]),
          ]), type: "multipart/form-data; boundary=b"),
      ]
      for reply in replies {
        let result = try #require((try reply.json()["results"] as? [[String: Any]])?.first, "\(reply.text)")
        let captions = try #require(result["captions"] as? [[String: Any]])
        for (caption, expected) in zip(captions, expected) {
          #expect(abs(try #require(caption["log_prob"] as? Double) - expected) < 1e-4)
        }
        let word = try #require((captions[0]["words"] as? [[String: Any]])?.first)
        #expect(word["rank"] is Int && (word["runners_up"] as? [Any])?.count == 2)
      }
      #expect(try await service.post("/v1/scores", TestService.photos[0]).status == 400)
      #expect(
        try await service.post("/v1/scores?captions=a&runner_ups=101", TestService.photos[0]).status == 400)
      let long = try await service.post(
        "/v1/scores",
        json:
          #"{"image": "\#(TestService.base64[0])", "captions": ["\#(String(repeating: "a", count: 10_001))"]}"#
      )
      #expect(long.status == 400)
    }
  }
}
