/// A list of images or of captions, each naming its image: neuraltalk2's `[{"file_path", "captions", "id", "split"}]`,
/// the last two optional; BLIP's `[{"image", "caption"}]`, a caption or a list of them.
enum EntryListFormat: CaptionFormat {
  static let name = "lists of {file_path, captions} or {image, caption}"

  static func recognises(_ source: CaptionSource) -> Bool { source.firstByte == UInt8(ascii: "[") }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    let list = try source.decodeJSON([Attempt<CaptionEntry>].self)
    try reader.add(list.map { (try? $0.result.get())?.split }) { reader, place in
      switch list[place].result {
      case .success(let entry): reader.add(entry, place: place)
      case .failure(let error): reader.note(datasetError(error, path: source.path))
      }
    }
  }
}
