import Foundation
import Support

/// A line of json or a row of csv as `caption` prints it: of which photo, and whether it has captions.
struct PrintedLine {
  /// The photo as the format calls it.
  let image: ExactName
  /// Whether it tells why there are no captions.
  let isFailure: Bool
  /// Whether it tells a caption, and not that there is none sure enough.
  let hasCaption: Bool

  /// Takes a line apart, without its end; nil where it is none of the format's.
  init?(_ bytes: ArraySlice<UInt8>, _ format: CaptionFormat) {
    if format == .csv {
      let fields = Self.fields(bytes)
      guard fields.count == CaptionWriter.csvTitles.split(separator: ",").count else { return nil }
      image = ExactName(FileName.text(fields[0]))
      isFailure = !fields[4].isEmpty
      hasCaption = !fields[1].isEmpty
      return
    }
    struct Printed: Decodable {
      let image: String
      let error: String?
    }
    guard let printed = try? JSONDecoder().decode(Printed.self, from: Data(bytes)) else { return nil }
    image = ExactName(printed.image)
    isFailure = printed.error != nil
    hasCaption = !isFailure
  }

  /// The fields of a row as they are written, quotation marks included.
  private static func fields(_ row: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var (fields, start, isOpen): ([ArraySlice<UInt8>], Int, Bool) = ([], row.startIndex, false)
    for place in row.indices {
      if row[place] == UInt8(ascii: "\"") { isOpen.toggle() }
      if row[place] == UInt8(ascii: ","), !isOpen {
        fields.append(row[start..<place])
        start = place + 1
      }
    }
    return fields + [row[start...]]
  }
}
