/// COCO's caption JSON: `{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}`. It has no
/// splits.
enum COCOFormat: CaptionFormat {
  static let name = "COCO's JSON"

  static func recognises(_ source: CaptionSource) -> Bool { source.firstByte == UInt8(ascii: "{") }

  /// The parts that matter here, under COCO's names.
  private struct File: Decodable {
    struct Image: Decodable {
      let id: ImageID
      /// None in files that only hold references.
      let file_name: String?
    }
    struct Annotation: Decodable {
      let image_id: ImageID
      let caption: String
    }
    let images: [Attempt<Image>]
    let annotations: [Attempt<Annotation>]
  }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    let file = try source.decodeJSON(File.self)
    // Refuses a split that was asked for by name.
    try reader.add(file.images.map { _ in nil }) { reader, place in
      switch file.images[place].result {
      case .success(let image):
        _ = reader.addImage(
          id: image.id, place: place, fileName: image.file_name, location: "images[\(place)]",
          fileKey: ".file_name")
      case .failure(let error): reader.note(datasetError(error, path: source.path))
      }
    }
    for (number, annotation) in file.annotations.enumerated() {
      switch annotation.result {
      case .success(let annotation):
        guard let image = reader.index(ofImage: annotation.image_id) else {
          let location = "annotations[\(number)].image_id"
          reader.note(.unknownImage(path: source.path, location: location, id: annotation.image_id))
          continue
        }
        reader.addCaption(annotation.caption, to: image, location: "annotations[\(number)]")
      case .failure(let error): reader.note(datasetError(error, path: source.path))
      }
    }
  }
}
