import Decoding
import Foundation
import TestSupport
import Testing

@testable import Service

@Suite struct CaptionServiceTests {
  /// Photos that come together share the network's work, and each gets its own answer.
  @Test func photosShareBatches() async throws {
    try await TestService.with({
      $0.batchSize = 6
      $0.batchDelay = .seconds(2)
    }) { service async throws in
      try await withThrowingTaskGroup(of: (Int, [[String]]).self) { group in
        for number in 0..<6 {
          // Half of them searched in another way.
          let path = number < 3 ? "/v1/captions" : "/v1/captions?beam_width=1"
          group.addTask { (number, try await service.post(path, TestService.photos[number % 3]).captions()) }
        }
        var found: [Int: [[String]]] = [:]
        for try await (number, captions) in group { found[number] = captions }
        for (number, captions) in found {
          let width = number < 3 ? 3 : 1
          #expect(
            try captions == [
              service.expected(
                TestService.photos[number % 3], .beam(BeamOptions(beamWidth: width, minimumLength: 1)))
            ])
        }
        #expect(found.count == 6)
      }
      let metrics = try await service.get("/metrics").text
      #expect(metrics.contains("captioner_batch_photos_sum 6.0\ncaptioner_batch_photos_count 1\n"))
      #expect(metrics.contains("captioner_photos_total{result=\"answered\"} 6\n"))
      #expect(metrics.contains("captioner_photos_waiting 0.0\n"))
      #expect(
        metrics.contains(
          "captioner_http_requests_total{route=\"/v1/captions\",method=\"POST\",status=\"200\"} 6\n"))
    }
  }

  /// What was accepted is answered, whatever ends meanwhile; nothing more is accepted.
  @Test func shutDownAnswersWhatWasAccepted() async throws {
    try await TestService.with({ $0.batchDelay = .seconds(1) }) { service async throws in
      async let reply = service.post("/v1/captions", TestService.photos[0])
      try await Task.sleep(for: .milliseconds(300))
      await service.service.shutDown()
      #expect(try await reply.status == 200)
      await #expect(throws: (any Error).self) { try await service.get("/healthz") }
    }
  }

  /// Another model takes the place of the first between two requests; a bad file changes nothing.
  @Test func reload() async throws {
    try await TestService.with { service async throws in
      let before = try await service.post("/v1/captions", TestService.photos[0]).text
      let other = service.model + ".new"
      try TinyNetwork.writeModel(to: other, tensors: TinyNetwork.tensors(seed: 2))
      try #require(rename(other, service.model) == 0)
      #expect(try await service.post("/v1/captions", TestService.photos[0]).text == before)
      try service.service.reload()
      let after = try await service.post("/v1/captions", TestService.photos[0]).text
      #expect(after != before)
      try Data("no model".utf8).write(to: URL(fileURLWithPath: other))
      try #require(rename(other, service.model) == 0)
      #expect(throws: (any Error).self) { try service.service.reload() }
      #expect(try await service.post("/v1/captions", TestService.photos[0]).text == after)
      let metrics = try await service.get("/metrics").text
      #expect(metrics.contains("captioner_model_reloads_total{result=\"loaded\"} 1\n"))
      #expect(metrics.contains("captioner_model_reloads_total{result=\"failed\"} 1\n"))
    }
  }

  /// Many at once, good and bad.
  @Test func manyClients() async throws {
    try await TestService.with { service async throws in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<40 {
          group.addTask {
            let isBad = number % 5 == 0
            let photo = isBad ? Array("no photo".utf8) : TestService.photos[number % 3]
            return try await service.post("/v1/captions", photo).status == (isBad ? 415 : 200)
          }
        }
        for try await isRight in group { #expect(isRight) }
      }
    }
  }

  @Test func anAddressThatIsTaken() async throws {
    try await TestService.with { running async throws in
      var options = ServiceOptions(model: running.model)
      options.port = running.port
      let second = try CaptionService(options)
      await #expect(
        throws: ServiceError(description: "127.0.0.1:\(running.port): can't listen: Address already in use")
      ) {
        try await second.run()
      }
    }
    #expect(throws: (any Error).self) { try CaptionService(ServiceOptions(model: "/nowhere.safetensors")) }
  }
}
