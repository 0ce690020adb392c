/// A caption a line and nothing else, as programs of other metrics read them: the line's number is the image's.
/// Captions to be scored, or their references.
enum PlainLines {
  /// Reads it; empty lines are empty captions.
  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    var rest = source.text
    var number = 0
    while !rest.isEmpty {
      var line = rest.prefix { $0 != UInt8(ascii: "\n") }
      rest = rest[min(line.endIndex + 1, rest.endIndex)...]
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      guard let caption = String(validating: line, as: UTF8.self) else {
        throw .unexpected(
          path: source.path, location: "line \(number + 1)", expected: "UTF-8", found: "other bytes")
      }
      let location = "line \(number + 1)"
      if let image = reader.addImage(
        id: .number(number), place: number, fileName: nil, location: location, fileKey: "")
      {
        reader.addCaption(caption, to: image, location: location)
      }
      number += 1
    }
  }
}
