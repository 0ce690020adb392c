public import Support

/// Names of images that are left out of a data set: a text file with one a line, as bytes.
///
/// A line names an image by its path, or by its name in the folder of images, as its caption file has it.
public struct SkipList: Sendable, Equatable {
  /// The lines, none empty.
  public let names: [String]
  private let set: Set<ExactName>

  /// No images.
  public init() { self.init([]) }

  init(_ names: [String]) {
    self.names = names
    set = Set(names.map(ExactName.init))
  }

  /// Reads lists.
  /// - Throws: `DatasetError.file`.
  public init(paths: [String]) throws(DatasetError) {
    var names: [String] = []
    for path in paths {
      do {
        let contents = try FileContents(path: path, limit: 1 << 30)
        for line in contents.bytes.split(separator: UInt8(ascii: "\n")) { names.append(FileName.text(line)) }
      } catch { throw .file(error) }
    }
    self.init(names)
  }

  /// The line that names one of these; nil if none does.
  ///
  /// A carriage return at a line's end belongs to the name if there is such a name, else to the line.
  public func line(naming candidates: String...) -> String? {
    for name in candidates.lazy.flatMap({ [$0, $0 + "\r"] }) where set.contains(ExactName(name)) {
      return name
    }
    return nil
  }

  /// A line for people about those that name nothing; nil if all do.
  /// - Parameter used: the lines that name something.
  public func warning(used: Set<ExactName>) -> String? {
    let idle = names.filter { !used.contains(ExactName($0)) }
    return idle.first.map { "\(idle.count) names to be left out are those of no image, the first \($0)" }
  }

  /// Writes a list of the images to leave out.
  /// - Parameter images: their names; each is written once.
  /// - Returns: names that no line can hold, since they have a line feed.
  /// - Throws: `FileError`.
  public static func write(_ images: [String], to path: String) throws -> [String] {
    var (bytes, unwritable, seen) = ([UInt8](), [String](), Set<ExactName>())
    for name in images where seen.insert(ExactName(name)).inserted {
      if name.utf8.contains(UInt8(ascii: "\n")) {
        unwritable.append(name)
      } else {
        bytes += FileName.bytes(name) + [UInt8(ascii: "\n")]
      }
    }
    try AtomicFile.write(to: path) { try $0.write(bytes) }
    return unwritable
  }
}

extension CaptionDataset {
  /// The same without the images of a list; `skipped` tells which.
  public func skipping(_ list: SkipList) -> CaptionDataset {
    guard !list.names.isEmpty else { return self }
    var kept = self
    kept.images = []
    for image in images {
      if let line = list.line(naming: image.path, image.fileName) {
        kept.skipped.insert(ExactName(line))
      } else {
        kept.images.append(image)
      }
    }
    return kept
  }
}
