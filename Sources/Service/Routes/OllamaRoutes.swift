internal import Foundation
internal import Hummingbird
internal import Requests
internal import Support

/// What clients of Ollama ask: `/api/generate` and `/api/chat` with images, and which models there are. Prompts and
/// options are read and not heeded: a captioner says what a photo shows.
struct OllamaRoutes: Sendable {
  let captions: CaptionRoutes

  private var model: ServedModel { captions.engine.model }

  func version(_ request: Request, _ context: ServiceContext) throws -> Response {
    try Response(["version": .string(captions.options.version)])
  }

  /// `GET /api/tags` and `GET /api/ps`
  func tags(_ request: Request, _ context: ServiceContext) throws -> Response {
    let model = model
    return try Response([
      "models": [
        [
          "name": .string(model.tag), "model": .string(model.tag),
          "modified_at": .string(model.modified.stamp),
          "size": .integer(Int(clamping: model.size)), "digest": .string(model.longDigest),
          "details": model.details,
        ]
      ]
    ])
  }

  /// `POST /api/show`
  func show(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let body = try await captions.bodies.with(request, context.channel) { body throws(Problem) in
      try JSON(body)
    }
    let model = model
    guard let name = (body["model"] ?? body["name"])?.string else {
      throw Problem.bad("model: expected a name, found none")
    }
    guard [model.tag, model.name].contains(name) else {
      throw Problem(.notFound, "model \"\(name.shortened(to: 100))\" not found: there is \(model.tag)")
    }
    return try Response([
      "modelfile": "", "parameters": "", "template": "", "license": "", "details": model.details,
      "modified_at": .string(model.modified.stamp), "capabilities": ["completion", "vision"],
      "model_info": [
        "general.architecture": "captioner",
        "captioner.vocabulary_size": .integer(model.description.vocabulary.count),
      ],
    ])
  }

  /// `POST /api/generate`
  func generate(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await answer(request, context) { body throws(Problem) in
      try OllamaQuestion(generate: body)
    } part: {
      ["response": .string($0)]
    }
  }

  /// `POST /api/chat`
  func chat(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await answer(request, context) { body throws(Problem) in
      try OllamaQuestion(chat: body)
    } part: {
      ["message": ["role": "assistant", "content": .string($0)]]
    }
  }

  /// Captions as Ollama sends what a model says: word by word, unless that is not wanted.
  /// - Parameters:
  ///   - question: what a body asks.
  ///   - part: what a piece of text is in an answer.
  private func answer(
    _ request: Request, _ context: ServiceContext,
    question: @Sendable ([UInt8]) throws(Problem) -> OllamaQuestion,
    part: @Sendable (String) -> [String: JSON]
  ) async throws -> Response {
    try await captions.bodies.with(request, context.channel) { body in
      let start = ContinuousClock.now
      let question = try question(body)
      let name = JSON.string(question.model ?? model.tag)
      func line(_ members: [String: JSON]) throws -> String {
        let common: [String: JSON] = ["model": name, "created_at": .string(Date.now.stamp)]
        return try JSON.object(common.merging(members) { $1 }).text + "\n"
      }
      // The model is loaded already.
      guard let photos = question.photos else {
        let loaded = part("").merging(["done": true, "done_reason": "load"]) { $1 }
        return Response(text: try line(loaded), type: "application/json")
      }
      let found = try await captions.captions(photos, beginning: question.beginning)
      let text =
        question.wantsJSON
        ? try JSON.object(["caption": .string(found.captions.text)]).text : found.captions.text
      let words = found.captions.reduce(0) { $0 + ($1.first?.words.count ?? 0) }
      let time = JSON.integer(Int((ContinuousClock.now - start) / .nanoseconds(1)))
      let end: [String: JSON] = [
        "done": true, "done_reason": "stop", "total_duration": time, "load_duration": 0,
        "prompt_eval_count": .integer(photos.count), "prompt_eval_duration": 0, "eval_count": .integer(words),
        "eval_duration": time,
      ]
      guard question.streams else {
        return Response(text: try line(part(text).merging(end) { $1 }), type: "application/json")
      }
      let pieces = try text.pieces.map { try line(part($0).merging(["done": false]) { $1 }) }
      return Response(
        stream: pieces + [try line(part("").merging(end) { $1 })], type: "application/x-ndjson")
    }
  }
}

extension ServedModel {
  /// Its name as Ollama has names.
  fileprivate var tag: String { name + ":latest" }
  /// As long as a SHA-256.
  fileprivate var longDigest: String { String(repeating: digest, count: 4) }
  fileprivate var details: JSON {
    [
      "parent_model": "", "format": "safetensors", "family": "captioner", "families": ["captioner"],
      "parameter_size": "", "quantization_level": "",
    ]
  }
}

extension Date {
  /// As RFC 3339 writes it.
  var stamp: String {
    formatted(
      .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
  }
}

extension String {
  /// The words, each with the space before it.
  var pieces: [String] {
    var pieces: [String] = []
    for character in self {
      if pieces.isEmpty || character == " " || character == "\n" { pieces.append("") }
      pieces[pieces.count - 1].append(character)
    }
    return pieces
  }
}
