internal import Foundation

extension CaptionDataset {
  /// Reads a COCO caption file: `images` with `id` and `file_name`, `annotations` with `image_id` and `caption`.
  /// Other keys are ignored. Images without a caption and empty captions are noted in `warnings`; the latter are
  /// left out.
  /// - Throws: `DatasetError` when the file can't be read, is no JSON, lacks a key, has an id that is no integer
  ///   or comes twice, an annotation without image, or a file name that leaves its folder.
  public init(cocoCaptions path: String) throws(DatasetError) {
    let file = try decodeJSONFile(COCOFile.self, at: path)
    var images: [CaptionedImage] = []
    var indexOfID: [ImageID: Int] = [:]
    images.reserveCapacity(file.images.count)
    for (index, image) in file.images.enumerated() {
      guard isSafe(image.file_name) else {
        throw .unsafeFileName(path: path, location: "images[\(index)].file_name", name: image.file_name)
      }
      guard indexOfID.updateValue(index, forKey: image.id) == nil else {
        throw .duplicate(path: path, location: "images[\(index)]", id: image.id.value)
      }
      images.append(CaptionedImage(id: image.id.value, fileName: image.file_name))
    }
    var empty: [Int] = []
    for (index, annotation) in file.annotations.enumerated() {
      guard let image = indexOfID[annotation.image_id] else {
        throw .unknownImage(
          path: path, location: "annotations[\(index)].image_id", id: annotation.image_id.value)
      }
      let caption = annotation.caption.trimmingCharacters(in: .whitespacesAndNewlines)
      if caption.isEmpty { empty.append(index) } else { images[image].captions.append(caption) }
    }
    var warnings: [String] = []
    if let first = empty.first {
      warnings.append("\(path): \(empty.count) empty captions left out, the first at annotations[\(first)]")
    }
    let bare = images.filter(\.captions.isEmpty)
    if let first = bare.first {
      warnings.append("\(path): \(bare.count) images without a caption, the first \(first.fileName)")
    }
    self.init(images: images, warnings: warnings)
  }
}

/// The parts of COCO's format that matter here, under COCO's names.
private struct COCOFile: Decodable {
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

private func isSafe(_ name: String) -> Bool {
  !name.isEmpty && !name.hasPrefix("/") && !name.utf8.contains(0)
    && !name.split(separator: "/").contains("..")
}
