internal import Hummingbird
internal import Requests

/// What clients of Hugging Face's image-to-text task ask: an image's bytes, or JSON with the image in base64.
struct HuggingFaceRoutes: Sendable {
  let captions: CaptionRoutes

  /// `POST /` and `POST /models/NAME`
  func caption(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await captions.bodies.with(request, context.channel) { body in
      let question = try HuggingFaceQuestion(body, contentType: request.headers[.contentType])
      let text = try await captions.captions([question.photo]).captions.text
      return try Response([["generated_text": .string(text)]])
    }
  }
}
