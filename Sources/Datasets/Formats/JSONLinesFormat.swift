/// A JSON object a line: `{"file_name", "text"}` as image folders have it, or what `captioner caption --format json`
/// prints.
enum JSONLinesFormat: CaptionFormat {
  static let name = "JSON lines of {file_name, text}"

  /// Lines that are looked at, and the longest that is.
  private static let (probes, longest) = (8, 1 << 20)

  static func recognises(_ source: CaptionSource) -> Bool {
    guard source.firstByte == UInt8(ascii: "{") else { return false }
    let first = source.lines.prefix(probes).map(\.bytes)
    // The first lines of an indented object begin otherwise.
    return first.allSatisfy { $0.first == UInt8(ascii: "{") && $0.count <= longest }
      && first.contains { (try? decodeJSON(Probe.self, from: $0, path: source.path)) != nil }
  }

  /// An object with the keys of a line.
  private struct Probe: Decodable {
    init(from decoder: any Decoder) throws {
      let names = try decoder.container(keyedBy: CaptionEntry.NameKey.self)
      let captions = try decoder.container(keyedBy: CaptionEntry.CaptionKey.self)
      enum Key: String, CodingKey { case image_id, error }
      let others = try decoder.container(keyedBy: Key.self)
      guard !names.allKeys.isEmpty || others.contains(.image_id),
        !captions.allKeys.isEmpty || others.contains(.error)
      else { throw DatasetError.missing(path: "", location: "") }
    }
  }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    var entries: [(number: Int, entry: Result<CaptionEntry, DatasetError>)] = []
    for (number, line) in source.lines {
      let entry = Result { () throws(DatasetError) in
        try decodeJSON(CaptionEntry.self, from: line, path: source.path)
      }
      entries.append((number, entry))
    }
    try reader.add(entries.map { (try? $0.entry.get())?.split }) { reader, place in
      switch entries[place].entry {
      case .success(let entry): reader.add(entry, place: place, line: entries[place].number)
      case .failure(let error): reader.note(error.after("line \(entries[place].number)"))
      }
    }
  }
}
