/// A caption a line and nothing else, as programs of other metrics read them: the line's number is the image's.
/// Captions to be scored, or their references.
enum PlainLines {
  /// Reads it; empty lines are empty captions.
  static func read(_ source: CaptionSource, into reader: inout CaptionReader) {
    var lines = source.lines
    while let line = lines.nextOfAll() {
      let location = "line \(line.number)"
      if let image = reader.addImage(
        id: .number(line.number - 1), place: line.number - 1, fileName: nil, location: location, fileKey: "")
      {
        reader.addCaption(String(decoding: line.bytes, as: UTF8.self), to: image, location: location)
      }
    }
  }
}
