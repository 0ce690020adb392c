extension CaptionReader {
  /// Adds the lines `name.jpg#0<tab>caption` of a Flickr8k or Flickr30k token file, which has no splits; empty lines
  /// are skipped. Images are numbered from 0 in the order of their first line.
  mutating func addFlickrLines(_ text: Slice<UnsafeRawBufferPointer>) throws(DatasetError) {
    var indexOfName: [String: Int] = [:]
    var rest = text
    var number = 0
    while !rest.isEmpty {
      number += 1
      var line = rest.prefix { $0 != UInt8(ascii: "\n") }
      rest = rest[min(line.endIndex + 1, rest.endIndex)...]
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      if line.allSatisfy({ $0 == 0x20 || $0 == 9 }) { continue }
      let (name, caption) = try parsed(line, number, isFirst: indexOfName.isEmpty)
      let image: Int
      if let known = indexOfName[name] {
        image = known
      } else {
        image = try addImage(
          id: indexOfName.count, fileName: name, location: "line \(number)", fileKey: "")
        indexOfName[name] = image
      }
      addCaption(caption, to: image, location: "line \(number)")
    }
    guard !indexOfName.isEmpty else { throw .unrecognised(path: path, found: "white space") }
    _ = try chosen([String?](repeating: nil, count: indexOfName.count))
  }

  private func parsed(
    _ line: Slice<UnsafeRawBufferPointer>, _ number: Int, isFirst: Bool
  ) throws(DatasetError) -> (name: String, caption: String) {
    guard let tab = line.firstIndex(of: 9), let hash = line[..<tab].lastIndex(of: UInt8(ascii: "#")),
      hash > line.startIndex, hash + 1 < tab,
      line[(hash + 1)..<tab].allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
    else {
      let found = String(decoding: line.prefix(40), as: UTF8.self).debugDescription
      // A file whose first line is none is something else altogether.
      if isFirst { throw .unrecognised(path: path, found: "text that begins with \(found)") }
      throw .unexpected(
        path: path, location: "line \(number)", expected: "NAME#NUMBER<tab>CAPTION", found: found)
    }
    guard let name = String(validating: line[..<hash], as: UTF8.self),
      let caption = String(validating: line[(tab + 1)...], as: UTF8.self)
    else {
      throw .unexpected(path: path, location: "line \(number)", expected: "UTF-8", found: "other bytes")
    }
    return (name, caption)
  }
}
