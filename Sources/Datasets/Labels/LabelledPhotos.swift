internal import Foundation
internal import Support

/// Photos of one thing each, and what it is called: no captions, but words for what is to be seen.
public struct LabelledPhotos: Sendable, Equatable {
  /// A photo.
  public struct Photo: Sendable, Equatable {
    /// Its file within the folder; never leaves it.
    public let fileName: String
    /// The folder.
    public let folder: String
    /// What it shows, in everyday words.
    public let label: String

    /// Its file's path.
    public var path: String { folder.isEmpty ? fileName : folder + "/" + fileName }
  }

  /// The photos, in the order of their files.
  public private(set) var photos: [Photo] = []
  /// Photos that were left out, as the table of names says.
  public private(set) var leftOut = 0

  /// No photos.
  public init() {}

  /// Reads files of labels, told apart by content: JSON `[{"file_name": "1.jpg", "label": "crab"}]`, or a table (CSV, or apart
  /// by tabs) whose first line names the columns `file_name` (or `image`, `filename`, `file`) and `label` (or `class`,
  /// `name`).
  /// - Parameters:
  ///   - folders: a folder of images for each file, or one for all.
  ///   - names: everyday words for labels.
  /// - Throws: `DatasetError`.
  public init(paths: [String], images folders: [String], names: LabelNames = LabelNames())
    throws(DatasetError)
  {
    guard folders.count == 1 || folders.count == paths.count else {
      throw .unexpected(
        path: paths.joined(separator: ", "), location: "--label-images",
        expected: paths.count == 1 ? "1 folder" : "1 or \(paths.count) folders", found: "\(folders.count)")
    }
    for (number, path) in paths.enumerated() {
      try read(path, ImageFolder(folders[folders.count == 1 ? 0 : number]), names)
    }
  }

  private struct Entry: Decodable {
    let fileName, label: String

    enum CodingKeys: String, CodingKey {
      case fileName = "file_name"
      case label
    }
  }

  private mutating func read(_ path: String, _ folder: ImageFolder, _ names: LabelNames) throws(DatasetError)
  {
    let source = try CaptionSource(path: path, images: folder.path)
    guard !source.isFolder else {
      throw .file(FileError(path: path, action: "read", reason: "a folder, not a file"))
    }
    let count = photos.count + leftOut
    if source.firstByte == UInt8(ascii: "[") {
      for (place, entry) in try source.decodeJSON([Entry].self).enumerated() {
        try add(entry.fileName, entry.label, folder, names, path: path, location: "[\(place)]")
      }
    } else {
      try readTable(source, folder, names)
    }
    guard photos.count + leftOut > count else {
      throw .unexpected(path: path, location: "the file", expected: "photos with labels", found: "none")
    }
  }

  private mutating func readTable(
    _ source: CaptionSource, _ folder: ImageFolder, _ names: LabelNames
  ) throws(DatasetError) {
    var lines = source.lines
    guard let titles = lines.next()?.bytes.prefix(4096), let layout = Layout(titles) else {
      let found = source.lines.first { _ in true }.map {
        String(decoding: $0.bytes.prefix(40), as: UTF8.self)
      }
      throw .unexpected(
        path: source.path, location: "line 1",
        expected: "the columns file_name and label, or a JSON list of objects with these keys",
        found: found?.debugDescription ?? "white space")
    }
    while let line = lines.next() {
      var fields = TableFields(separator: layout.separator)
      fields.add(line.bytes)
      guard !fields.isOpen, fields.values.count > max(layout.image, layout.label) else {
        throw .unexpected(
          path: source.path, location: "line \(line.number)", expected: "\(layout.columns) fields",
          found: fields.isOpen ? "a quotation mark without its second" : "\(fields.values.count)")
      }
      try add(
        String(decoding: fields.values[layout.image], as: UTF8.self),
        String(decoding: fields.values[layout.label], as: UTF8.self), folder, names, path: source.path,
        location: "line \(line.number)")
    }
  }

  /// Where the columns of a table are.
  private struct Layout {
    let separator: UInt8
    let image, label, columns: Int

    init?(_ titles: Slice<UnsafeRawBufferPointer>) {
      for separator in [UInt8(ascii: ","), 9, UInt8(ascii: ";")] {
        let columns = titles.split(separator: separator, omittingEmptySubsequences: false).map {
          String(decoding: $0, as: UTF8.self).lowercased().filter { !" \"_".contains($0) }
        }
        if let image = columns.firstIndex(where: ["filename", "image", "file", "path"].contains),
          let label = columns.firstIndex(where: ["label", "class", "name"].contains)
        {
          self.separator = separator
          self.image = image
          self.label = label
          self.columns = columns.count
          return
        }
      }
      return nil
    }
  }

  private mutating func add(
    _ name: String, _ label: String, _ folder: ImageFolder, _ names: LabelNames, path: String,
    location: @autoclosure () -> String
  ) throws(DatasetError) {
    guard let found = folder.name(of: name) else {
      throw .unsafeFileName(path: path, location: location(), name: name)
    }
    guard label.utf8.count <= 256, label.contains(where: { !$0.isWhitespace }) else {
      throw .unexpected(
        path: path, location: location(), expected: "a label of 1 to 256 bytes",
        found: label.utf8.count > 256 ? "\(label.utf8.count)" : "none")
    }
    guard let word = names.word(for: label) else {
      leftOut += 1
      return
    }
    photos.append(Photo(fileName: found.name, folder: folder.path, label: word))
  }
}
