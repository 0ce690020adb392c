/// The token files of Flickr8k and Flickr30k: lines of `name.jpg#0<tab>caption`, without splits. Images are numbered
/// from 0 in the order of their first line.
enum FlickrTokenFormat: CaptionFormat {
  static let name = "lines of NAME#NUMBER<tab>CAPTION"

  static func recognises(_ source: CaptionSource) -> Bool {
    source.lines.prefix(8).contains { parts($0.bytes) != nil }
  }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    try reader.refuseNamedSplit()
    for (number, line) in source.lines {
      guard let (name, caption) = parts(line) else {
        let found = String(decoding: line.prefix(40), as: UTF8.self).debugDescription
        reader.note(
          .unexpected(
            path: source.path, location: "line \(number)", expected: "NAME#NUMBER<tab>CAPTION", found: found))
        continue
      }
      reader.add(name: name, caption: caption, location: "line \(number)")
    }
  }

  private static func parts(_ line: Slice<UnsafeRawBufferPointer>) -> (
    name: Slice<UnsafeRawBufferPointer>, caption: Slice<UnsafeRawBufferPointer>
  )? {
    guard let tab = line.firstIndex(of: 9), let hash = line[..<tab].lastIndex(of: UInt8(ascii: "#")),
      hash > line.startIndex, hash + 1 < tab,
      line[(hash + 1)..<tab].allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
    else { return nil }
    return (line[..<hash], line[(tab + 1)...])
  }
}
