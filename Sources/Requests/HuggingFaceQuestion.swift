/// What a client of Hugging Face's image-to-text task asks: about a photo, its bytes or JSON with it in base64.
package struct HuggingFaceQuestion: Sendable {
  package let photo: PhotoFile

  /// Reads the body of `POST /` and `POST /models/NAME`.
  /// - Throws: `Problem` saying what is wrong with it.
  package init(_ body: [UInt8], contentType: String?) throws(Problem) {
    if contentType.map({ HeaderValue($0).value }) == "application/json" {
      guard let text = try JSON(body)["inputs"]?.string else {
        throw .bad("inputs: expected an image in base64, found none")
      }
      photo = try EncodedImage.file(text, "inputs")
    } else {
      guard !body.isEmpty else { throw .bad("the body: expected an image, found none") }
      photo = PhotoFile(name: "image", bytes: body)
    }
  }
}
