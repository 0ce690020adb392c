internal import Hummingbird

/// What clients of Hugging Face's image-to-text task ask: an image's bytes, or JSON with the image in base64.
struct HuggingFaceRoutes: Sendable {
  let captions: CaptionRoutes

  /// `POST /` and `POST /models/NAME`
  func caption(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try await captions.bodies.with(request, context.channel) { body in
      let type = request.headers[.contentType].map { HeaderValue($0).value }
      let photo: PhotoFile
      if type == "application/json" {
        guard let text = try JSON(body)["inputs"]?.string else {
          throw Problem.bad("inputs: expected an image in base64, found none")
        }
        photo = try EncodedImage.file(text, "inputs")
      } else {
        guard !body.isEmpty else { throw Problem.bad("the body: expected an image, found none") }
        photo = PhotoFile(name: "image", bytes: body)
      }
      let text = try await captions.captions([photo]).captions.text
      return try Response([["generated_text": .string(text)]])
    }
  }
}
