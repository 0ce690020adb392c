internal import Support

/// A folder with a text file beside each photo: the lines of `NAME.txt` are captions of `NAME.jpg`.
enum CaptionFolder: CaptionFormat {
  static let name = "folders of NAME.txt beside NAME.jpg"

  static func recognises(_ source: CaptionSource) -> Bool { source.isFolder }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    try reader.refuseNamedSplit()
    let names = try FolderNames.of(source.path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let photos = source.images.isEmpty ? names : try FolderNames.of(source.images)
    var photoOfStem: [ExactName: String] = [:]
    for photo in photos where !photo.hasSuffix(".txt") { photoOfStem[ExactName(stem(photo))] = photo }
    var isEmpty = true
    for name in names where name.hasSuffix(".txt") {
      isEmpty = false
      guard let photo = photoOfStem[ExactName(stem(name))] else {
        let folder = source.images.isEmpty ? source.path : source.images
        reader.note(
          .unexpected(
            path: source.path + "/" + name, location: "photo", expected: "one of the same name in \(folder)",
            found: "none"))
        continue
      }
      do throws(DatasetError) {
        let text = try CaptionSource(path: source.path + "/" + name, images: "")
        for (number, line) in text.lines {
          reader.add(name: Array(photo.utf8), caption: line, location: "\(name) line \(number)")
        }
      } catch { reader.note(error) }
    }
    if isEmpty { throw .unrecognised(path: source.path, found: "a folder without .txt files") }
  }

  private static func stem(_ name: String) -> String {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }
}
