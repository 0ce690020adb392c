import Foundation
import Testing

@testable import Service

/// What clients of other services get.
@Suite struct ClientRoutesTests {
  private static func caption(_ service: TestService) async throws -> String {
    try await service.post("/v1/captions", TestService.photos[0]).captions()[0][0]
  }

  private static func lines(_ reply: TestService.Reply) throws -> [[String: Any]] {
    try reply.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func ollama() async throws {
    try await TestService.with { service async throws in
      let caption = try await Self.caption(service)
      let image = TestService.base64[0]
      let whole = try await service.post(
        "/api/generate",
        json: #"{"model": "any", "prompt": "What?", "images": ["\#(image)"], "stream": false}"#)
      #expect(try whole.json()["response"] as? String == caption)
      #expect(try whole.json()["done"] as? Bool == true && whole.json()["model"] as? String == "any")
      let streamed = try await service.post("/api/generate", json: #"{"images": ["\#(image)"]}"#)
      #expect(streamed.headers["content-type"] == "application/x-ndjson")
      let lines = try Self.lines(streamed)
      #expect(lines.compactMap { $0["response"] as? String }.joined() == caption)
      #expect(lines.map { $0["done"] as? Bool } == [Bool](repeating: false, count: lines.count - 1) + [true])
      let messages =
        #"[{"role": "user", "content": "Look", "images": ["\#(image)"]}, {"role": "assistant", "content": "Yes"}]"#
      let chat = try await service.post("/api/chat", json: #"{"messages": \#(messages), "stream": false}"#)
      #expect((try chat.json()["message"] as? [String: Any])?["content"] as? String == caption)
      let parts = try Self.lines(await service.post("/api/chat", json: #"{"messages": \#(messages)}"#))
      #expect(
        parts.compactMap { ($0["message"] as? [String: Any])?["content"] as? String }.joined() == caption)
      let json = try await service.post(
        "/api/generate", json: #"{"images": ["\#(image)"], "stream": false, "format": "json"}"#)
      #expect(try json.json()["response"] as? String == #"{"caption":"\#(caption)"}"#)
      // Two images, two lines.
      let both = try await service.post(
        "/api/generate", json: #"{"images": ["\#(image)", "\#(image)"], "stream": false}"#)
      #expect(try both.json()["response"] as? String == "\(caption)\n\(caption)")
      #expect(try await service.post("/api/generate", json: "{}").json()["done_reason"] as? String == "load")
      #expect(
        try await service.post("/api/chat", json: #"{"messages": []}"#).json()["done_reason"] as? String
          == "load")
    }
  }

  /// Prompts that end in dots begin the caption, as far as the model has their words.
  @Test func promptsMayBeginTheCaption() async throws {
    try await TestService.with { service async throws in
      let (caption, image) = (try await Self.caption(service), TestService.base64[0])
      for (prompt, begins) in [("the dog …", true), ("Describe the photo...", false), ("the dog", false)] {
        let whole = try await service.post(
          "/api/generate", json: #"{"prompt": "\#(prompt)", "images": ["\#(image)"], "stream": false}"#)
        let text = try #require(try whole.json()["response"] as? String)
        #expect(begins ? text.hasPrefix("the dog ") || text == "the dog" : text == caption, "\(text)")
      }
      let parts =
        #"[{"type": "text", "text": "the dog …"}, {"type": "image_url", "image_url": {"url": "data:;base64,\#(image)"}}]"#
      let chat = try await service.post(
        "/v1/chat/completions", json: #"{"messages": [{"role": "user", "content": \#(parts)}]}"#)
      #expect(chat.status == 200 && chat.text.contains(#""the dog"#), "\(chat.text)")
    }
  }

  @Test func ollamaModels() async throws {
    try await TestService.with { service async throws in
      #expect(try await service.get("/api/version").json()["version"] as? String == "0.1.0")
      for path in ["/api/tags", "/api/ps"] {
        let models = try await service.get(path).json()["models"] as? [[String: Any]]
        #expect(
          models?.first?["name"] as? String == "model:latest" && (models?.first?["size"] as? Int ?? 0) > 1000)
        #expect((models?.first?["digest"] as? String)?.count == 64)
      }
      let shown = try await service.post("/api/show", json: #"{"model": "model:latest"}"#)
      #expect(try shown.json()["capabilities"] as? [String] == ["completion", "vision"])
      #expect(try await service.post("/api/show", json: #"{"model": "other"}"#).status == 404)
    }
  }

  @Test func openAI() async throws {
    try await TestService.with { service async throws in
      let caption = try await Self.caption(service)
      let url = "data:image/jpeg;base64," + TestService.base64[0]
      let messages =
        #"[{"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "\#(url)"}}]}]"#
      let whole = try await service.post(
        "/v1/chat/completions", json: #"{"messages": \#(messages), "logprobs": true}"#)
      let choice = try #require((try whole.json()["choices"] as? [[String: Any]])?.first, "\(whole.text)")
      #expect((choice["message"] as? [String: Any])?["content"] as? String == caption)
      #expect(
        ((choice["logprobs"] as? [String: Any])?["content"] as? [Any])?.count == caption.split(separator: " ")
          .count + 1)
      let several = try await service.post(
        "/v1/chat/completions", json: #"{"messages": \#(messages), "n": 3}"#)
      #expect((try several.json()["choices"] as? [Any])?.count == 3)
      let streamed = try await service.post(
        "/v1/chat/completions", json: #"{"messages": \#(messages), "stream": true}"#)
      #expect(
        streamed.headers["content-type"] == "text/event-stream" && streamed.text.hasSuffix("data: [DONE]\n\n")
      )
      #expect(
        try Self.deltas(streamed) {
          (($0["choices"] as? [[String: Any]])?.first?["delta"] as? [String: Any])?["content"]
        } == caption)
      let input = #"[{"role": "user", "content": [{"type": "input_image", "image_url": "\#(url)"}]}]"#
      let response = try await service.post("/v1/responses", json: #"{"input": \#(input)}"#).json()
      let output = (response["output"] as? [[String: Any]])?.first
      #expect(((output?["content"] as? [[String: Any]])?.first)?["text"] as? String == caption)
      let events = try await service.post("/v1/responses", json: #"{"input": \#(input), "stream": true}"#)
      #expect(try Self.deltas(events) { $0["delta"] } == caption)
      #expect(events.text.contains("event: response.completed\n"))
    }
  }

  /// The texts that events bring, one after the other.
  private static func deltas(_ reply: TestService.Reply, _ text: ([String: Any]) -> Any?) throws -> String {
    try reply.text.split(separator: "\n").filter { $0.hasPrefix("data: {") }.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.dropFirst(6).utf8)) as? [String: Any])
    }.compactMap { text($0) as? String }.joined()
  }

  @Test func openAIModels() async throws {
    try await TestService.with { service async throws in
      #expect(
        (try await service.get("/v1/models").json()["data"] as? [[String: Any]])?.first?["id"] as? String
          == "model")
      #expect(try await service.get("/v1/models/model").json()["object"] as? String == "model")
      #expect(try await service.get("/v1/models/other").status == 404)
    }
  }

  @Test func huggingFace() async throws {
    try await TestService.with { service async throws in
      let expected = #"[{"generated_text":"\#(try await Self.caption(service))"}]"#
      for path in ["/", "/models/captioner", "/models/some/name"] {
        #expect(try await service.post(path, TestService.photos[0]).text == expected)
        #expect(
          try await service.post(path, json: #"{"inputs": "\#(TestService.base64[0])"}"#).text == expected)
      }
      #expect(
        try await service.post("/", TestService.photos[0], type: "application/x-www-form-urlencoded").text
          == expected)
    }
  }

  /// Errors are in each client's words.
  @Test func errors() async throws {
    try await TestService.with { service async throws in
      for body in [
        "[]", "{", #"{"images": 3}"#, #"{"images": ["?"]}"#, #"{"prompt": "x"}"#,
        #"{"format": {}, "images": [""]}"#,
      ] {
        let reply = try await service.post("/api/generate", json: body)
        #expect(try reply.status == 400 && reply.json()["error"] is String, "\(body)")
      }
      let remote =
        #"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.jpg"}}]}]}"#
      for body in [
        "{}", #"{"messages": [{"content": "x"}]}"#, #"{"messages": 3}"#, #"{"messages": [], "n": 11}"#,
        remote,
      ] {
        let reply = try await service.post("/v1/chat/completions", json: body)
        let error = try reply.json()["error"] as? [String: Any]
        #expect(reply.status == 400 && error?["type"] as? String == "invalid_request_error", "\(body)")
      }
      #expect(try await service.post("/v1/responses", json: #"{"input": "a text"}"#).status == 400)
      #expect(try await service.post("/", Array("no image".utf8)).json()["error"] is String)
      #expect(try await service.post("/", json: "{}").status == 400)
    }
  }
}
