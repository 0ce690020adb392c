/// Karpathy's split JSON (`dataset_coco.json`, Karpathy & Fei-Fei 2015): `{"images": [{"filename", "filepath",
/// "cocoid", "split", "sentences": [{"raw"}]}]}`. An image's id is its `cocoid`, else its `imgid`, else its place.
enum KarpathyFormat: CaptionFormat {
  static let name = "Karpathy's JSON"

  static func recognises(_ source: CaptionSource) -> Bool {
    source.firstByte == UInt8(ascii: "{") && !source.contains("\"annotations\"")
      && source.contains("\"sentences\"")
  }

  /// The parts that matter here, under its names.
  private struct File: Decodable {
    struct Image: Decodable {
      let filename: String
      let filepath: String?
      let cocoid: ImageID?
      let imgid: ImageID?
      let split: String?
      let sentences: [Attempt<Sentence>]
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
    let images: [Attempt<Image>]
  }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    let file = try source.decodeJSON(File.self)
    try reader.add(file.images.map { (try? $0.result.get())?.split }) { reader, place in
      let image: File.Image
      switch file.images[place].result {
      case .success(let found): image = found
      case .failure(let error): return reader.note(datasetError(error, path: source.path))
      }
      let folder = image.filepath ?? ""
      guard
        let index = reader.addImage(
          id: image.cocoid ?? image.imgid, place: place,
          fileName: folder.isEmpty ? image.filename : folder + "/" + image.filename,
          location: "images[\(place)]", fileKey: ".filename")
      else { return }
      for (number, sentence) in image.sentences.enumerated() {
        switch sentence.result {
        case .success(let sentence):
          reader.addCaption(sentence.raw, to: index, location: "images[\(place)].sentences[\(number)]")
        case .failure(let error): reader.note(datasetError(error, path: source.path))
        }
      }
    }
  }
}
