internal import Support

/// Everyday words for the fine names of classes: "beach wagon" is a car to those who write captions.
///
/// A table file has a name and its word a line, apart by a tab or else a comma; without a word, or with `-`, photos of that
/// name are left out. Lines that begin with `#` say nothing.
public struct LabelNames: Sendable, Equatable {
  private var words: [String: String] = [:]

  /// Every name is its own word.
  public init() {}

  /// Reads a table.
  /// - Throws: `DatasetError` for files that can't be read, lines without two fields, and names that come twice with
  ///   different words.
  public init(path: String) throws(DatasetError) {
    let source = try CaptionSource(path: path, images: "")
    guard !source.isFolder else {
      throw .file(FileError(path: path, action: "read", reason: "a folder, not a file"))
    }
    for line in source.lines where line.bytes.first != UInt8(ascii: "#") {
      let text = String(decoding: line.bytes, as: UTF8.self)
      let separator: Character = text.contains("\t") ? "\t" : ","
      let fields = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
      guard fields.count == 2, line.bytes.count <= 4096 else {
        throw .unexpected(
          path: path, location: "line \(line.number)",
          expected: "a name and its word, apart by a tab or a comma",
          found: line.bytes.count > 4096 ? "\(line.bytes.count) bytes" : "one field")
      }
      let (name, word) = (Self.normalized(fields[0]), Self.normalized(fields[1]))
      if let known = words.updateValue(word, forKey: name), known != word {
        throw .unexpected(
          path: path, location: "line \(line.number)", expected: "one word for each name",
          found: "\(name.debugDescription) as \(known.debugDescription) and \(word.debugDescription)")
      }
    }
  }

  /// What people call it; nil: photos of it are left out.
  public func word(for label: String) -> String? {
    let name = Self.normalized(label[...])
    let word = words[name] ?? name
    return word.isEmpty || word == "-" ? nil : word
  }

  /// In lower case, with spaces for underscores, without spaces at its ends: "n02814533_Beach_wagon" is as it stands.
  private static func normalized(_ name: Substring) -> String {
    name.lowercased().replacing("_", with: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
