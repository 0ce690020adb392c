internal import Support

/// Photos and fields of a request of the service's own interface, in whichever of its forms they came.
package struct Submission {
  package private(set) var photos: [PhotoFile] = []
  package private(set) var fields = Fields()

  /// Takes a request apart.
  /// - Parameters:
  ///   - contentType: of the body; nil where the request says none: an image.
  ///   - query: of the path.
  ///   - images: the JSON key whose texts are images.
  ///   - limit: photos, at most.
  /// - Throws: `Problem` saying what is wrong with it.
  package init(
    _ body: [UInt8], contentType: String?, query: String?, images: String, limit: Int
  ) throws(Problem) {
    if let query { try fields.add(query: query) }
    let type = contentType.map { HeaderValue($0).value } ?? "application/octet-stream"
    switch type {
    case "multipart/form-data":
      for part in try MultipartForm(body, contentType: contentType ?? "").parts {
        if part.isFile {
          let name = part.fileName.flatMap { $0.isEmpty ? nil : $0 } ?? part.name
          photos.append(PhotoFile(name: name, bytes: Array(part.content)))
        } else {
          fields.add(part.name, text: String(decoding: part.content, as: UTF8.self))
        }
      }
    case "application/json":
      let members = try JSON(object: body).members
      for (name, value) in members.sorted(by: { $0.key < $1.key }) where name != images {
        fields.add(name, value)
      }
      if let value = members[images] { photos = try Self.photos(value, images) }
    case _ where type == "application/octet-stream" || type.hasPrefix("image/"):
      if !body.isEmpty { photos.append(PhotoFile(name: "photo", bytes: body)) }
    default:
      throw Problem(
        .unsupportedMediaType,
        "Content-Type: expected image/…, application/octet-stream, multipart/form-data or application/json, "
          + "found \"\(type.shortened(to: 60))\"")
    }
    guard !photos.isEmpty else { throw .bad("the body: expected an image, found none") }
    guard photos.count <= limit else {
      throw Problem(.contentTooLarge, "expected at most \(limit) images a request, found \(photos.count)")
    }
  }

  private static func photos(_ value: JSON, _ name: String) throws(Problem) -> [PhotoFile] {
    let (list, isList): ([JSON], Bool) =
      if case .list(let list) = value { (list, true) } else { ([value], false) }
    var photos: [PhotoFile] = []
    for (place, value) in list.enumerated() {
      let path = isList ? "\(name)[\(place)]" : name
      guard let text = value.string else { throw .bad("\(path): expected base64, found \(value.kind)") }
      photos.append(try EncodedImage.file(text, path))
    }
    return photos
  }
}
