internal import Support

/// The token files of Flickr8k and Flickr30k: lines of `name.jpg#0<tab>caption`. Images are numbered from 0 in the order
/// of their first line. Splits are those of `SplitLists`, where lists lie beside the file.
enum FlickrTokenFormat: CaptionFormat {
  static let name = "lines of NAME#NUMBER<tab>CAPTION"

  static func recognises(_ source: CaptionSource) -> Bool {
    source.lines.prefix(8).contains { parts($0.bytes) != nil }
  }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    guard let lists = try SplitLists(beside: source.path) else {
      try reader.refuseNamedSplit()
      return read(source, into: &reader) { _ in true }
    }
    // The images in the order of their first line, and the split of each.
    var names: [String] = []
    var seen: Set<ExactName> = []
    for line in source.lines {
      guard let name = parts(line.bytes).map({ String(decoding: $0.name, as: UTF8.self) }),
        seen.insert(ExactName(name)).inserted
      else { continue }
      names.append(name)
    }
    var chosen: Set<ExactName> = []
    try reader.add(names.map { lists[$0] }) { _, place in _ = chosen.insert(ExactName(names[place])) }
    read(source, into: &reader) { chosen.contains(ExactName(String(decoding: $0, as: UTF8.self))) }
  }

  /// Adds the lines of images that are wanted.
  private static func read(
    _ source: CaptionSource, into reader: inout CaptionReader,
    _ isWanted: (Slice<UnsafeRawBufferPointer>) -> Bool
  ) {
    for (number, line) in source.lines {
      guard let (name, caption) = parts(line) else {
        let found = String(decoding: line.prefix(40), as: UTF8.self).debugDescription
        reader.note(
          .unexpected(
            path: source.path, location: "line \(number)", expected: "NAME#NUMBER<tab>CAPTION", found: found))
        continue
      }
      if isWanted(name) { reader.add(name: name, caption: caption, location: "line \(number)") }
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
