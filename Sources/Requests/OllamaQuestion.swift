/// What a client of Ollama asks. Prompts, but for a `LeadingPhrase`, and options are read and not heeded: a captioner says what
/// a photo shows.
package struct OllamaQuestion: Sendable {
  /// The photos; nil where a model is to be loaded and nothing said.
  package let photos: [PhotoFile]?
  /// How the captions are to begin.
  package let beginning: String?
  /// The model, as the client calls it.
  package let model: String?
  /// Whether the answer comes word by word.
  package let streams: Bool
  /// Whether it is wanted as JSON.
  package let wantsJSON: Bool

  /// Reads the body of `POST /api/generate`.
  /// - Throws: `Problem` saying what is wrong with it.
  package init(generate body: [UInt8]) throws(Problem) {
    try self.init(body) { body throws(Problem) in
      let photos = try Self.photos(body["images"], "images")
      let prompt = body["prompt"]?.string
      return photos.isEmpty && (prompt ?? "").isEmpty ? nil : (photos, prompt)
    }
  }

  /// Reads the body of `POST /api/chat`: the question is the last message that has images.
  /// - Throws: `Problem` saying what is wrong with it.
  package init(chat body: [UInt8]) throws(Problem) {
    try self.init(body) { body throws(Problem) in
      guard case .list(let messages) = body["messages"] ?? [] else {
        throw .bad("messages: expected a list, found \(body["messages"]?.kind ?? "none")")
      }
      if messages.isEmpty { return nil }
      for (place, message) in messages.enumerated().reversed() {
        let photos = try Self.photos(message["images"], "messages[\(place)].images")
        if !photos.isEmpty { return (photos, message["content"]?.string) }
      }
      return ([], nil)
    }
  }

  private init(
    _ body: [UInt8], asked: (JSON) throws(Problem) -> (photos: [PhotoFile], prompt: String?)?
  ) throws(Problem) {
    let body = try JSON(object: body)
    model = body["model"]?.string
    streams = try body.flag("stream", usual: true)
    wantsJSON =
      switch body["format"] {
      case nil, .string(""): false
      case .string("json"): true
      default: throw .bad("format: expected json or none, found another: a captioner follows no schema")
      }
    let asked = try asked(body)
    photos = asked?.photos
    beginning = LeadingPhrase.of(asked?.prompt)
    guard photos?.isEmpty != true else {
      throw .bad("images: expected an image, found none: a captioner says what photos show, and nothing else")
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
}
