internal import Support

/// The lists that lie beside Flickr8k's token file, an image's name a line: `Flickr_8k.trainImages.txt`,
/// `Flickr_8k.devImages.txt` (the split `val`) and `Flickr_8k.testImages.txt`.
struct SplitLists {
  private static let endings = [
    ("trainimages.txt", "train"), ("devimages.txt", "val"), ("valimages.txt", "val"),
    ("testimages.txt", "test"),
  ]

  private var splits: [ExactName: String] = [:]

  /// The lists in a caption file's folder; nil: there are none.
  /// - Throws: `DatasetError.file` when one can't be read.
  init?(beside path: String) throws(DatasetError) {
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) }
    var isEmpty = true
    // A folder that can't be listed has none.
    let names = (try? FolderNames.of(folder ?? ".")) ?? []
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      guard let split = Self.endings.first(where: { name.lowercased().hasSuffix($0.0) })?.1 else { continue }
      isEmpty = false
      let file: FileContents
      do { file = try FileContents(path: folder.map { "\($0)/\(name)" } ?? name, limit: 1 << 28) } catch {
        throw .file(error)
      }
      for line in file.bytes.split(separator: UInt8(ascii: "\n")) {
        let image = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        if !image.isEmpty { splits[ExactName(FileName.text(image))] = split }
      }
    }
    if isEmpty { return nil }
  }

  /// The split of an image; nil where no list has it.
  subscript(image: String) -> String? { splits[ExactName(image)] }
}
