internal import Foundation
internal import Hummingbird

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
      throw Problem(.notFound, "model \"\(name.prefix(100))\" not found: there is \(model.tag)")
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
      let images = try Self.photos(body["images"], "images")
      // Without anything to do a model is to be loaded, which it is.
      return images.isEmpty && (body["prompt"]?.string ?? "").isEmpty ? nil : images
    } part: {
      ["response": .string($0)]
    }
  }

  /// `POST /api/chat`
  func chat(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await answer(request, context) { body throws(Problem) in
      guard case .list(let messages) = body["messages"] ?? [] else {
        throw .bad("messages: expected a list, found \(body["messages"]?.kind ?? "none")")
      }
      if messages.isEmpty { return nil }
      // The question is the last one.
      for (place, message) in messages.enumerated().reversed() {
        let photos = try Self.photos(message["images"], "messages[\(place)].images")
        if !photos.isEmpty { return photos }
      }
      return []
    } part: {
      ["message": ["role": "assistant", "content": .string($0)]]
    }
  }

  private static func photos(_ value: JSON?, _ place: String) throws(Problem) -> [PhotoFile] {
    guard let value else { return [] }
    guard case .list(let list) = value else { throw .bad("\(place): expected a list, found \(value.kind)") }
    var photos: [PhotoFile] = []
    for (number, image) in list.enumerated() {
      guard let text = image.string else {
        throw .bad("\(place)[\(number)]: expected base64, found \(image.kind)")
      }
      photos.append(try EncodedImage.file(text, "\(place)[\(number)]"))
    }
    return photos
  }

  /// Captions as Ollama sends what a model says: word by word, unless that is not wanted.
  /// - Parameters:
  ///   - photos: of the request; nil where it asks for nothing.
  ///   - part: what a piece of text is in an answer.
  private func answer(
    _ request: Request, _ context: ServiceContext, photos: @Sendable (JSON) throws(Problem) -> [PhotoFile]?,
    part: @Sendable (String) -> [String: JSON]
  ) async throws -> Response {
    try await captions.bodies.with(request, context.channel) { body in
      let start = ContinuousClock.now
      let body = try JSON(body)
      guard case .object = body else {
        throw Problem.bad("the body: expected a JSON object, found \(body.kind)")
      }
      let name = JSON.string(body["model"]?.string ?? model.tag)
      let streams = try body.flag("stream", usual: true)
      let format = try Self.wantsJSON(body["format"])
      func line(_ members: [String: JSON]) throws -> String {
        let common: [String: JSON] = ["model": name, "created_at": .string(Date.now.stamp)]
        return try JSON.object(common.merging(members) { $1 }).text + "\n"
      }
      guard let photos = try photos(body) else {
        let loaded = part("").merging(["done": true, "done_reason": "load"]) { $1 }
        return Response(text: try line(loaded), type: "application/json")
      }
      guard !photos.isEmpty else {
        throw Problem.bad(
          "images: expected an image, found none: a captioner says what photos show, and nothing else")
      }
      let found = try await captions.captions(photos)
      let text =
        format ? try JSON.object(["caption": .string(found.captions.text)]).text : found.captions.text
      let words = found.captions.reduce(0) { $0 + ($1.first?.words.count ?? 0) }
      let time = JSON.integer(Int((ContinuousClock.now - start) / .nanoseconds(1)))
      let end: [String: JSON] = [
        "done": true, "done_reason": "stop", "total_duration": time, "load_duration": 0,
        "prompt_eval_count": .integer(photos.count), "prompt_eval_duration": 0, "eval_count": .integer(words),
        "eval_duration": time,
      ]
      guard streams else {
        return Response(text: try line(part(text).merging(end) { $1 }), type: "application/json")
      }
      let pieces = try text.pieces.map { try line(part($0).merging(["done": false]) { $1 }) }
      return Response(
        stream: pieces + [try line(part("").merging(end) { $1 })], type: "application/x-ndjson")
    }
  }

  private static func wantsJSON(_ format: JSON?) throws(Problem) -> Bool {
    switch format {
    case nil, .string(""): return false
    case .string("json"): return true
    default: throw .bad("format: expected json or none, found another: a captioner follows no schema")
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
