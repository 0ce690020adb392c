/// An object that names an image and has its captions, under any of the names in use: `{"file_path", "captions"}` of
/// neuraltalk2, `{"image", "caption"}` of BLIP, `{"file_name", "text"}` of image folders, and what
/// `captioner caption --format json` prints.
struct CaptionEntry: Decodable {
  /// A caption: a text, or an object that has it.
  struct Text: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      if let container = try? decoder.container(keyedBy: SpokenKey.self),
        let key = SpokenKey.allCases.first(where: container.contains)
      {
        text = try container.decode(String.self, forKey: key)
      } else {
        text = try decoder.singleValueContainer().decode(String.self)
      }
    }
  }
  enum NameKey: String, CodingKey, CaseIterable {
    case file_path, file_name, filename, image, image_path, path
  }
  enum CaptionKey: String, CodingKey, CaseIterable { case captions, caption, text, sentences }
  private enum SpokenKey: String, CodingKey, CaseIterable { case caption, raw, text }
  private enum OtherKey: String, CodingKey { case image_id, id, split, error }

  /// The image's file; nil where only its id is told.
  let name: String?
  /// The key that has it.
  let nameKey: String
  /// Its id.
  let id: ImageID?
  /// Its split.
  let split: String?
  /// Its captions.
  let captions: [Attempt<Text>]
  /// The key that has them.
  let captionKey: String

  init(from decoder: any Decoder) throws {
    let names = try decoder.container(keyedBy: NameKey.self)
    let nameKey = NameKey.allCases.first(where: names.contains) ?? .file_path
    self.nameKey = nameKey.rawValue
    let others = try decoder.container(keyedBy: OtherKey.self)
    id =
      try others.decodeIfPresent(ImageID.self, forKey: .image_id)
      ?? others.decodeIfPresent(ImageID.self, forKey: .id)
    name =
      id != nil && !names.contains(nameKey) && others.contains(.image_id)
      ? nil : try names.decode(String.self, forKey: nameKey)
    split = try others.decodeIfPresent(String.self, forKey: .split)
    let container = try decoder.container(keyedBy: CaptionKey.self)
    let key = CaptionKey.allCases.first(where: container.contains) ?? .captions
    captionKey = key.rawValue
    if let list = try? container.decode([Attempt<Text>].self, forKey: key) {
      captions = list
    } else if !container.contains(key), others.contains(.error) {
      // An image that could not be captioned.
      captions = []
    } else {
      captions = [try container.decode(Attempt<Text>.self, forKey: key)]
    }
  }
}

extension CaptionReader {
  /// Adds an entry; entries of one name are one image.
  /// - Parameters:
  ///   - place: where in the file it is, which is its id unless it has one.
  ///   - line: the line that it is, of a file of lines.
  mutating func add(_ entry: CaptionEntry, place: Int, line: Int? = nil) {
    let location = line.map { "line \($0)" } ?? "[\(place)]"
    let separator = line == nil ? "." : ": "
    guard
      let image = entry.name.flatMap({ index(ofImageNamed: $0) })
        ?? (entry.name == nil ? entry.id.flatMap { index(ofImage: $0) } : nil)
        ?? addImage(
          id: entry.id, place: place, fileName: entry.name, location: location,
          fileKey: separator + entry.nameKey)
    else { return }
    for (number, caption) in entry.captions.enumerated() {
      switch caption.result {
      case .success(let caption):
        let index = entry.captions.count == 1 && entry.captionKey != "captions" ? "" : "[\(number)]"
        addCaption(caption.text, to: image, location: location + separator + entry.captionKey + index)
      case .failure(let error):
        let fault = datasetError(error, path: path)
        note(line.map { fault.after("line \($0)") } ?? fault)
      }
    }
  }
}
