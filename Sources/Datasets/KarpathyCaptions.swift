/// A caption file whose top level is an object: COCO's has `annotations`, Karpathy's keeps the captions with the
/// images.
enum CaptionObject: Decodable {
  case coco(COCOFile)
  case karpathy(KarpathyFile)

  private enum CodingKeys: String, CodingKey { case images, annotations, sentences }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if !container.contains(.annotations), var images = try? container.nestedUnkeyedContainer(forKey: .images),
      let first = try? images.nestedContainer(keyedBy: CodingKeys.self), first.contains(.sentences)
    {
      self = .karpathy(try KarpathyFile(from: decoder))
    } else {
      self = .coco(try COCOFile(from: decoder))
    }
  }
}

/// The parts of a `dataset_coco.json` (Karpathy & Fei-Fei 2015) that matter here, under its names.
struct KarpathyFile: Decodable {
  struct Image: Decodable {
    let filename: String
    let filepath: String?
    let cocoid: ImageID?
    let imgid: ImageID?
    let split: String?
    let sentences: [Sentence]
  }
  struct Sentence: Decodable {
    let raw: String

    private enum CodingKeys: String, CodingKey { case raw, tokens }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      // Files made by other tools may hold the tokens alone.
      raw =
        !container.contains(.raw) && container.contains(.tokens)
        ? try container.decode([String].self, forKey: .tokens).joined(separator: " ")
        : try container.decode(String.self, forKey: .raw)
    }
  }
  let images: [Image]
}

/// An image of neuraltalk2's raw JSON.
struct ListedImage: Decodable {
  let file_path: String
  let id: ImageID?
  let split: String?
  let captions: [String]
}

extension CaptionReader {
  /// Adds the chosen images of Karpathy's split JSON. An image's id is its `cocoid`, else its `imgid`, else its place.
  mutating func add(_ file: KarpathyFile) throws(DatasetError) {
    for place in try chosen(file.images.map(\.split)) {
      let image = file.images[place]
      let folder = image.filepath ?? ""
      let index = try addImage(
        id: (image.cocoid ?? image.imgid)?.value ?? place,
        fileName: folder.isEmpty ? image.filename : folder + "/" + image.filename,
        location: "images[\(place)]", fileKey: ".filename")
      for (number, sentence) in image.sentences.enumerated() {
        addCaption(sentence.raw, to: index, location: "images[\(place)].sentences[\(number)]")
      }
    }
  }

  /// Adds the chosen images of a list of `{file_path, captions}`. An image's id is its `id`, else its place.
  mutating func add(_ list: [ListedImage]) throws(DatasetError) {
    for place in try chosen(list.map(\.split)) {
      let image = list[place]
      let index = try addImage(
        id: image.id?.value ?? place, fileName: image.file_path, location: "[\(place)]", fileKey: ".file_path"
      )
      for (number, caption) in image.captions.enumerated() {
        addCaption(caption, to: index, location: "[\(place)].captions[\(number)]")
      }
    }
  }
}
