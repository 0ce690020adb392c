/// The captions of a COCO caption file as metrics need them: every caption as it stands, empty ones too, and no photos.
public struct ReferenceCaptions: Sendable, Equatable {
  /// The captions of each image by its id, in the order of the file; there may be none.
  public let captions: [Int: [String]]

  /// Reads `images` with `id`, and `annotations` with `image_id` and `caption`; other keys are ignored.
  /// - Throws: `DatasetError` when the file can't be read, is no JSON, lacks a key, has an id that is no integer or
  ///   comes twice, or an annotation without image.
  public init(coco path: String) throws(DatasetError) {
    let file = try decodeJSONFile(ReferenceFile.self, at: path)
    var captions: [Int: [String]] = [:]
    captions.reserveCapacity(file.images.count)
    for (index, image) in file.images.enumerated() {
      guard captions.updateValue([], forKey: image.id.value) == nil else {
        throw .duplicate(path: path, location: "images[\(index)]", id: image.id.value)
      }
    }
    for (index, annotation) in file.annotations.enumerated() {
      let id = annotation.image_id.value
      guard captions[id]?.append(annotation.caption) != nil else {
        throw .unknownImage(path: path, location: "annotations[\(index)].image_id", id: id)
      }
    }
    self.captions = captions
  }
}

/// The parts of COCO's format that matter here, under COCO's names.
private struct ReferenceFile: Decodable {
  struct Image: Decodable {
    let id: ImageID
  }
  struct Annotation: Decodable {
    let image_id: ImageID
    let caption: String
  }
  let images: [Image]
  let annotations: [Annotation]
}
