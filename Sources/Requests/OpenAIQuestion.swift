/// What a client of OpenAI asks: chat completions and responses. Texts and options are read and not heeded, but for a
/// `LeadingPhrase`, how many captions, their log-probs and streaming.
package struct OpenAIQuestion: Sendable {
  /// The photos, one or more.
  package let photos: [PhotoFile]
  /// How the captions are to begin.
  package let beginning: String?
  /// The model, as the client calls it.
  package let model: String?
  /// Captions that are wanted; 1 with several photos.
  package let count: Int
  /// Whether the log-probs of their words are wanted.
  package let wantsLogProbs: Bool
  /// Whether the answer comes word by word, and whether it then says how much was used.
  package let streams, wantsUsage: Bool

  /// Captions of a completion, at most.
  private static let completions = 1...10

  /// Reads the body of `POST /v1/chat/completions`.
  /// - Throws: `Problem` saying what is wrong with it.
  package init(chat body: [UInt8]) throws(Problem) {
    let body = try JSON(object: body)
    let count = body["n"] ?? 1
    guard let number = count.integer, Self.completions.contains(number) else {
      throw .bad("n: expected 1 to 10, found \(count.kind)")
    }
    wantsLogProbs = try body.flag("logprobs")
    wantsUsage = body["stream_options"]?["include_usage"]?.flag == true
    streams = try body.flag("stream")
    model = body["model"]?.string
    self.count = number
    (photos, beginning) = try Self.asked(body["messages"], "messages")
    guard number == 1 || photos.count == 1 else {
      throw .bad("n: expected 1 with several images, found \(number)")
    }
  }

  /// Reads the body of `POST /v1/responses`.
  /// - Throws: `Problem` saying what is wrong with it.
  package init(response body: [UInt8]) throws(Problem) {
    let body = try JSON(object: body)
    (count, wantsLogProbs, wantsUsage) = (1, false, false)
    streams = try body.flag("stream")
    model = body["model"]?.string
    (photos, beginning) = try Self.asked(body["input"], "input")
  }

  /// The images of the last message that has any, and how its last text wants captions to begin.
  /// - Parameter place: the messages' key.
  private static func asked(
    _ messages: JSON?, _ place: String
  ) throws(Problem) -> ([PhotoFile], beginning: String?) {
    guard case .list(let messages)? = messages else {
      throw .bad("\(place): expected a list of messages, found \(messages?.kind ?? "none")")
    }
    for (number, message) in messages.enumerated().reversed() {
      guard case .list(let parts)? = message["content"] else { continue }
      var (photos, prompt): ([PhotoFile], String?) = ([], nil)
      for (part, content) in parts.enumerated() {
        let here = "\(place)[\(number)].content[\(part)].image_url"
        switch content["type"]?.string {
        case "image_url", "input_image":
          guard let url = (content["image_url"]?["url"] ?? content["image_url"])?.string else {
            throw .bad("\(here): expected a URL data:image/…;base64,…, found none")
          }
          guard url.hasPrefix("data:") else {
            throw .bad("\(here): expected a URL data:image/…;base64,…, found another, and none is fetched")
          }
          photos.append(try EncodedImage.file(url, here))
        case "text", "input_text": prompt = content["text"]?.string
        default: continue
        }
      }
      if !photos.isEmpty { return (photos, LeadingPhrase.of(prompt)) }
    }
    throw .bad("\(place): expected an image, found none: a captioner says what photos show, and nothing else")
  }
}
