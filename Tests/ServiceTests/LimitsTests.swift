import Foundation
import Imaging
import TestSupport
import Testing

@testable import Service

/// What a service does when it is asked too much, or by somebody who means no good.
@Suite struct LimitsTests {
  private static func head(_ port: Int, _ lines: String...) -> [UInt8] {
    Array(
      (["POST /v1/captions HTTP/1.1", "Host: 127.0.0.1:\(port)"] + lines + ["", ""]).joined(separator: "\r\n")
        .utf8)
  }

  @Test func largeBodies() async throws {
    try await TestService.with({ $0.maximumBody = 20_000 }) { service async throws in
      let reply = try await service.send([Self.head(service.port, "Content-Length: 20001")])
      #expect(reply.status == 413 && reply.detail.contains("at most 20000 bytes, found 20001"))
      // One that does not say how long it is.
      let chunk = Array("3000\r\n".utf8) + [UInt8](repeating: 0, count: 0x3000) + [13, 10]
      let chunked = try await service.send([
        Self.head(service.port, "Transfer-Encoding: chunked"), chunk, chunk, chunk,
      ])
      #expect(chunked.status == 413)
      #expect(try await service.post("/v1/captions", TestService.photos[0]).status == 200)
    }
  }

  @Test func manyPixels() async throws {
    let bomb = PictureFiles.blackPNG(width: 30_000, height: 30_000)
    try await TestService.with { service async throws in
      let reply = try await service.post("/v1/captions", bomb)
      #expect(reply.status == 413 && reply.detail.hasPrefix("photo: expected"))
    }
    try await TestService.with({ $0.reader.maximumPixels = 100 }) { service async throws in
      #expect(try await service.post("/v1/captions", TestService.photos[0]).status == 413)
    }
  }

  @Test func manyImages() async throws {
    try await TestService.with({ $0.maximumImages = 2 }) { service async throws in
      let images = TestService.base64.map { "\"\($0)\"" }.joined(separator: ",")
      #expect(try await service.post("/v1/captions", json: #"{"images": [\#(images)]}"#).status == 413)
      #expect(try await service.post("/api/generate", json: #"{"images": [\#(images)]}"#).status == 413)
    }
  }

  /// While one photo waits for company there is no room for another.
  @Test func aFullQueue() async throws {
    try await TestService.with({
      $0.queue = 1
      $0.batchDelay = .seconds(1)
    }) { service async throws in
      async let first = service.post("/v1/captions", TestService.photos[0])
      try await Task.sleep(for: .milliseconds(300))
      let second = try await service.post("/v1/captions", TestService.photos[0])
      #expect(second.status == 503 && second.headers["retry-after"] == "1")
      #expect(try await first.status == 200)
      #expect(try await service.post("/v1/captions", TestService.photos[0]).status == 200)
    }
  }

  @Test func slowness() async throws {
    try await TestService.with({
      $0.timeout = .milliseconds(300)
      $0.batchDelay = .seconds(1)
    }) { service async throws in
      let late = try await service.post("/v1/captions", TestService.photos[0])
      #expect(late.status == 504 && late.detail == "expected an answer within 0.3 s, found none")
      // A body of which a byte comes now and then: the connection is not held for ever.
      let drops = [[UInt8]](repeating: [0], count: 20)
      let slow = try await service.send(
        [Self.head(service.port, "Content-Length: 1000")] + drops, pause: .milliseconds(100))
      #expect(slow.status == 408)
    }
  }

  /// Bodies that wait for their end hold what they said they would be.
  @Test func manyBodies() async throws {
    try await TestService.with({
      $0.maximumBody = 1000
      $0.timeout = .seconds(3)
    }) { service async throws in
      async let held = withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 {
          group.addTask {
            try await service.send(
              [Self.head(service.port, "Content-Length: 1000"), [0]], pause: .seconds(1)
            ).status
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      try await Task.sleep(for: .milliseconds(600))
      let refused = try await service.send([Self.head(service.port, "Content-Length: 1000")])
      #expect(refused.status == 503)
      #expect(try await held == [Int](repeating: 408, count: 8))
    }
  }

  @Test func hostileBodies() async throws {
    try await TestService.with({ $0.timeout = .seconds(5) }) { service async throws in
      let deep = String(repeating: "[", count: 100_000)
      for path in [
        "/v1/captions", "/v1/scores", "/api/generate", "/api/chat", "/v1/chat/completions", "/v1/responses",
        "/",
      ] {
        #expect(try await service.post(path, json: deep).status == 400, "\(path)")
        #expect(try await service.post(path, json: #"{"images": ["#).status == 400, "\(path)")
      }
      let truncated = multipartForm([(fileHeaders("a.jpg"), TestService.photos[0])]).dropLast(12)
      #expect(
        try await service.post("/v1/captions", Array(truncated), type: "multipart/form-data; boundary=b")
          .status == 400)
      #expect(
        try await service.post("/v1/captions", Array(truncated), type: "multipart/form-data").status == 400)
      // Less than was announced, which is waited for, and no HTTP at all.
      let lines = Self.head(
        service.port, "Content-Length: 100", "Content-Type: image/png", "Connection: close")
      #expect(try await service.send([lines + [1, 2, 3]]).status == 408)
      #expect(try await service.send([Array("hello\r\n\r\n".utf8)]).status == 400)
    }
  }

  /// What is compressed is told so, not taken for a broken photo.
  @Test func codedBodies() async throws {
    try await TestService.with { service async throws in
      for path in ["/v1/captions", "/api/chat", "/v1/responses", "/"] {
        let coded = ["Content-Encoding": "gzip"]
        let reply = try await service.post(path, TestService.photos[0], headers: coded)
        #expect(reply.status == 415 && reply.headers["accept-encoding"] == "identity", "\(path)")
        #expect(reply.text.contains("Content-Encoding: expected none"), "\(path)")
      }
      let plain = ["Content-Encoding": "Identity"]
      #expect(try await service.post("/v1/captions", TestService.photos[0], headers: plain).status == 200)
    }
  }

  @Test func hugeHeaders() async throws {
    try await TestService.with { service async throws in
      for headers in [
        "X: " + String(repeating: "y", count: 100_000),
        (0..<200).map { "X\($0): y" }.joined(separator: "\r\n"),
      ] {
        let request = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(headers)\r\n\r\n"
        let reply = try? await service.send([Array(request.utf8)])
        #expect((reply?.status ?? 400) >= 400)
      }
      #expect(try await service.get("/healthz").status == 200)
      #expect(try await service.get("/v1/models/" + String(repeating: "%41", count: 1000)).status == 404)
    }
  }

  /// A client that waits to be asked for its body is asked.
  @Test func expectations() async throws {
    try await TestService.with { service async throws in
      let photo = TestService.photos[0]
      let head = Self.head(
        service.port, "Content-Length: \(photo.count)", "Content-Type: image/jpeg", "Expect: 100-continue",
        "Connection: close")
      let reply = try await service.send([head, photo], pause: .milliseconds(200))
      #expect(reply.status == 200)
    }
  }

  @Test func tokens() async throws {
    try await TestService.with({ $0.token = "secret" }) { service async throws in
      for path in ["/v1/captions", "/v1/scores", "/api/generate", "/v1/chat/completions", "/", "/models/x"] {
        let refused = try await service.post(path, TestService.photos[0])
        #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer", "\(path)")
      }
      for given in ["secre", "secret2", "Secret", "", "secretsecret"] {
        let headers = ["Authorization": "Bearer \(given)"]
        #expect(try await service.post("/v1/captions", TestService.photos[0], headers: headers).status == 401)
      }
      #expect(try await service.get("/metrics").status == 401)
      #expect(try await service.get("/nothing").status == 401)
      for path in ["/", "/healthz", "/readyz", "/openapi.json"] {
        #expect(try await service.get(path).status == 200, "\(path)")
      }
      let headers = ["Authorization": "bearer secret"]
      #expect(try await service.post("/v1/captions", TestService.photos[0], headers: headers).status == 200)
      #expect(
        try await service.get("/metrics", headers: headers).text.contains("captioner_http_requests_total"))
    }
  }

  /// Pages of other sites, which a browser lets ask, get nothing.
  @Test func origins() async throws {
    try await TestService.with { service async throws in
      let other = ["Origin": "https://example.org"]
      #expect(try await service.post("/v1/captions", TestService.photos[0], headers: other).status == 403)
      let own = ["Origin": "http://127.0.0.1:\(service.port)"]
      #expect(try await service.post("/v1/captions", TestService.photos[0], headers: own).status == 200)
    }
  }

  @Test func paths() async throws {
    try await TestService.with { service async throws in
      #expect(try await service.get("/nothing").status == 404)
      let wrong = try await service.get("/v1/captions")
      #expect(wrong.status == 405 && wrong.headers["allow"] == "POST")
      #expect(try await service.send("DELETE", "/", []).headers["allow"] == "GET, HEAD, POST")
      for (path, allowed) in [
        ("/v1/models/model", "GET, HEAD"), ("/models/a", "POST"), ("/models/a/b", "POST"),
        ("/healthz", "GET, HEAD"),
      ] {
        let reply = try await service.send("DELETE", path, [])
        #expect(reply.status == 405 && reply.headers["allow"] == allowed, "\(path)")
      }
      for path in ["/models", "/v1/models/a/b", "/v1/captions/x"] {
        #expect(try await service.send("DELETE", path, []).status == 404, "\(path)")
      }
      let head = try await service.send("HEAD", "/healthz", [])
      #expect(head.status == 200 && head.body.isEmpty)
      let page = try await service.get("/")
      #expect(
        page.headers["content-type"] == "text/html; charset=utf-8"
          && page.headers["x-frame-options"] == "DENY")
    }
  }
}
