/// The parts of COCO's caption JSON that matter here, under COCO's names.
struct COCOFile: Decodable {
  struct Image: Decodable {
    let id: ImageID
    let file_name: String
  }
  struct Annotation: Decodable {
    let image_id: ImageID
    let caption: String
  }
  let images: [Image]
  let annotations: [Annotation]
}

extension CaptionReader {
  /// Adds what a COCO caption file holds; it has no splits.
  mutating func add(_ file: COCOFile) throws(DatasetError) {
    // Refuses a split that was asked for by name.
    _ = try chosen(file.images.map { _ in nil })
    for (index, image) in file.images.enumerated() {
      _ = try addImage(
        id: image.id.value, fileName: image.file_name, location: "images[\(index)]", fileKey: ".file_name")
    }
    for (index, annotation) in file.annotations.enumerated() {
      guard let image = self.index(ofImage: annotation.image_id.value) else {
        throw .unknownImage(
          path: path, location: "annotations[\(index)].image_id", id: annotation.image_id.value)
      }
      addCaption(annotation.caption, to: image, location: "annotations[\(index)]")
    }
  }
}
