internal import Foundation
internal import Hummingbird
internal import Language
internal import Requests

/// What clients of OpenAI ask: chat completions and responses about images, and which models there are. Texts and options
/// are read and not heeded, but for how many captions (`n`), their log-probs and streaming.
struct OpenAIRoutes: Sendable {
  let captions: CaptionRoutes

  /// `GET /v1/models`
  func models(_ request: Request, _ context: ServiceContext) throws -> Response {
    try Response(["object": "list", "data": [Self.entry(captions.engine.model)]])
  }

  /// `GET /v1/models/NAME`
  func model(_ request: Request, _ context: ServiceContext) throws -> Response {
    let model = captions.engine.model
    guard context.parameters.get("name")?.removingPercentEncoding == model.name else {
      throw Problem(.notFound, "there is no model of that name: there is \(model.name)")
    }
    return try Response(Self.entry(model))
  }

  private static func entry(_ model: ServedModel) -> JSON {
    [
      "id": .string(model.name), "object": "model", "owned_by": "captioner",
      "created": .integer(Int(model.modified.timeIntervalSince1970)),
    ]
  }

  /// `POST /v1/chat/completions`
  func chat(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await captions.bodies.with(request, context.channel) { body in
      let question = try OpenAIQuestion(chat: body)
      let images = question.photos.count
      let found = try await captions.captions(
        question.photos, captions: question.count, beginning: question.beginning)
      let texts = images == 1 ? found.captions[0].map(\.text) : [found.captions.text]
      let words = found.captions.joined().reduce(0) { $0 + $1.words.count }
      let completion = Completion(
        model: question.model ?? found.model.name, texts: texts,
        logProbs: question.wantsLogProbs ? found.captions[0] : [],
        usage: [
          "prompt_tokens": .integer(images), "completion_tokens": .integer(words),
          "total_tokens": .integer(images + words),
        ])
      guard question.streams else { return try Response(completion.whole) }
      let events = try completion.chunks(includingUsage: question.wantsUsage).map {
        "data: \(try $0.text)\n\n"
      }
      return Response(stream: events + ["data: [DONE]\n\n"], type: "text/event-stream")
    }
  }

  /// `POST /v1/responses`
  func responses(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await captions.bodies.with(request, context.channel) { body in
      let question = try OpenAIQuestion(response: body)
      let found = try await captions.captions(question.photos, beginning: question.beginning)
      let words = found.captions.joined().reduce(0) { $0 + $1.words.count }
      let answer = ResponseObject(
        model: question.model ?? found.model.name, text: found.captions.text, images: question.photos.count,
        words: words)
      guard question.streams else { return try Response(answer.whole(isDone: true)) }
      let events = try answer.events.map { "event: \($0)\ndata: \(try $1.text)\n\n" }
      return Response(stream: events, type: "text/event-stream")
    }
  }
}

/// A new identifier.
private func identifier(_ kind: String) -> String {
  kind + UUID().uuidString.lowercased().filter { $0 != "-" }
}

/// A chat completion.
private struct Completion {
  let model: String
  let texts: [String]
  /// The captions whose words' log-probs are wanted.
  let logProbs: [Caption]
  let usage: JSON
  private let name = JSON.string(identifier("chatcmpl-"))
  private let created = JSON.integer(Int(Date.now.timeIntervalSince1970))

  init(model: String, texts: [String], logProbs: [Caption], usage: JSON) {
    self.model = model
    self.texts = texts
    self.logProbs = logProbs
    self.usage = usage
  }

  var whole: JSON {
    let choices = texts.enumerated().map { place, text -> JSON in
      [
        "index": .integer(place), "finish_reason": "stop", "logprobs": logProbs(place),
        "message": ["role": "assistant", "content": .string(text), "refusal": .null],
      ]
    }
    return [
      "id": name, "object": "chat.completion", "created": created, "model": .string(model),
      "choices": .list(choices), "usage": usage,
    ]
  }

  private func logProbs(_ place: Int) -> JSON {
    guard place < logProbs.count else { return .null }
    let words = logProbs[place].words.map { word -> JSON in
      [
        "token": .string(word.word), "logprob": .number(Double(max(word.logProb, -.greatestFiniteMagnitude))),
        "bytes": .list(word.word.utf8.map { .integer(Int($0)) }), "top_logprobs": [],
      ]
    }
    return ["content": .list(words), "refusal": .null]
  }

  func chunks(includingUsage: Bool) -> [JSON] {
    func chunk(_ choices: [JSON], usage: JSON? = nil) -> JSON {
      var members: [String: JSON] = [
        "id": name, "object": "chat.completion.chunk", "created": created, "model": .string(model),
        "choices": .list(choices),
      ]
      if includingUsage { members["usage"] = usage ?? .null }
      return .object(members)
    }
    func choice(_ place: Int, _ delta: JSON, end: JSON = .null) -> JSON {
      ["index": .integer(place), "delta": delta, "finish_reason": end, "logprobs": .null]
    }
    var chunks: [JSON] = []
    for (place, text) in texts.enumerated() {
      chunks.append(chunk([choice(place, ["role": "assistant", "content": ""])]))
      for piece in text.pieces { chunks.append(chunk([choice(place, ["content": .string(piece)])])) }
      chunks.append(chunk([choice(place, [:], end: "stop")]))
    }
    return chunks + (includingUsage ? [chunk([], usage: usage)] : [])
  }
}

/// An answer of the responses interface.
private struct ResponseObject {
  let model: String
  let text: String
  let images, words: Int
  private let name = JSON.string(identifier("resp_"))
  private let messageName = JSON.string(identifier("msg_"))
  private let created = JSON.integer(Int(Date.now.timeIntervalSince1970))

  init(model: String, text: String, images: Int, words: Int) {
    self.model = model
    self.text = text
    self.images = images
    self.words = words
  }

  private var content: JSON {
    ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
  }

  private func message(isDone: Bool) -> JSON {
    [
      "type": "message", "id": messageName, "role": "assistant",
      "status": isDone ? "completed" : "in_progress", "content": .list(isDone ? [content] : []),
    ]
  }

  func whole(isDone: Bool) -> JSON {
    let usage: JSON = [
      "input_tokens": .integer(images), "input_tokens_details": ["cached_tokens": 0],
      "output_tokens": .integer(words), "output_tokens_details": ["reasoning_tokens": 0],
      "total_tokens": .integer(images + words),
    ]
    let fixed: [String: JSON] = [
      "error": .null, "incomplete_details": .null, "instructions": .null, "max_output_tokens": .null,
      "metadata": [:], "parallel_tool_calls": false, "previous_response_id": .null, "store": false,
      "temperature": .null, "text": ["format": ["type": "text"]], "tool_choice": "none", "tools": [],
      "top_p": .null, "truncation": "disabled",
    ]
    let own: [String: JSON] = [
      "id": name, "object": "response", "created_at": created, "model": .string(model),
      "status": isDone ? "completed" : "in_progress", "usage": isDone ? usage : .null,
      "output": .list(isDone ? [message(isDone: true)] : []),
    ]
    return .object(fixed.merging(own) { $1 })
  }

  /// What happens, by name, in its order.
  var events: [(String, JSON)] {
    var events: [(String, JSON)] = []
    func add(_ type: String, _ members: [String: JSON]) {
      let common: [String: JSON] = ["type": .string(type), "sequence_number": .integer(events.count)]
      events.append((type, .object(common.merging(members) { $1 })))
    }
    let item: [String: JSON] = ["item_id": messageName, "output_index": 0, "content_index": 0]
    let empty: JSON = ["type": "output_text", "text": "", "annotations": [], "logprobs": []]
    add("response.created", ["response": whole(isDone: false)])
    add("response.in_progress", ["response": whole(isDone: false)])
    add("response.output_item.added", ["output_index": 0, "item": message(isDone: false)])
    add("response.content_part.added", item.merging(["part": empty]) { $1 })
    for piece in text.pieces {
      add("response.output_text.delta", item.merging(["delta": .string(piece), "logprobs": []]) { $1 })
    }
    add("response.output_text.done", item.merging(["text": .string(text), "logprobs": []]) { $1 })
    add("response.content_part.done", item.merging(["part": content]) { $1 })
    add("response.output_item.done", ["output_index": 0, "item": message(isDone: true)])
    add("response.completed", ["response": whole(isDone: true)])
    return events
  }
}
