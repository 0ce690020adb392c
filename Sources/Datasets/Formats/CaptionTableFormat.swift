/// A table with a line of titles, of which one is the image's and one the caption's: Kaggle's `image,caption`,
/// Flickr30k's `image_name| comment_number| comment`, and what `captioner caption --format csv` prints; or without titles,
/// the image's file first.
enum CaptionTableFormat: CaptionFormat {
  static let name = "tables of image,caption"

  private static let imageTitles: Set<String> = [
    "image", "image_name", "image_path", "file", "file_name", "file_path", "filename", "filepath", "path",
  ]
  private static let captionTitles: Set<String> = [
    "caption", "captions", "comment", "text", "raw", "sentence",
  ]

  private static let endings = [
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif",
  ]

  /// Where the fields are.
  private struct Layout {
    let separator: UInt8
    let image, caption, count: Int
    var hasTitles = true

    /// - Parameter line: the table's first.
    init?(_ line: Slice<UnsafeRawBufferPointer>) {
      if let titled = Layout(titles: line) { self = titled } else { self.init(row: line) }
    }

    /// Of a table without titles: a file's name, maybe a number, and the caption.
    private init?(row: Slice<UnsafeRawBufferPointer>) {
      for separator in [9, UInt8(ascii: ","), UInt8(ascii: "|"), UInt8(ascii: ";")] {
        let fields = row.split(separator: separator, omittingEmptySubsequences: false)
          .map { String(decoding: $0, as: UTF8.self).lowercased().filter { !" \"\t".contains($0) } }
        guard fields.count > 1, CaptionTableFormat.endings.contains(where: fields[0].hasSuffix) else {
          continue
        }
        let isNumbered =
          fields.count > 2 && !fields[1].isEmpty && fields[1].utf8.allSatisfy { 0x30...0x39 ~= $0 }
        self.separator = separator
        image = 0
        caption = isNumbered ? 2 : 1
        count = caption + 1
        hasTitles = false
        return
      }
      return nil
    }

    private init?(titles: Slice<UnsafeRawBufferPointer>) {
      for separator in [UInt8(ascii: ","), UInt8(ascii: "|"), 9, UInt8(ascii: ";")] {
        let columns = titles.split(separator: separator, omittingEmptySubsequences: false).map {
          String(decoding: $0, as: UTF8.self).lowercased().filter { !" \"\t".contains($0) }
        }
        if let image = columns.firstIndex(where: imageTitles.contains),
          let caption = columns.firstIndex(where: captionTitles.contains)
        {
          self.separator = separator
          self.image = image
          self.caption = caption
          count = columns.count
          return
        }
      }
      return nil
    }
  }

  static func recognises(_ source: CaptionSource) -> Bool {
    var lines = source.lines
    return lines.next().map { $0.bytes.count <= 4096 && Layout($0.bytes) != nil } ?? false
  }

  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError) {
    try reader.refuseNamedSplit()
    var lines = source.lines
    guard let layout = lines.next().flatMap({ Layout($0.bytes) }) else { return }
    if !layout.hasTitles { lines = source.lines }
    while let first = lines.next() {
      var fields = TableFields(separator: layout.separator)
      var continued = lines
      fields.add(first.bytes)
      // No caption has more lines than that: a quotation mark is missing.
      for _ in 0..<16 where fields.isOpen {
        guard let line = continued.next() else { break }
        fields.add(line.bytes)
      }
      guard !fields.isOpen, fields.values.count >= layout.count else {
        reader.note(
          .unexpected(
            path: source.path, location: "line \(first.number)",
            expected: "\(layout.count) fields",
            found: fields.isOpen ? "a quotation mark without its second" : "\(fields.values.count)"))
        continue
      }
      lines = continued
      var caption = fields.values[layout.caption]
      // Captions with commas that nobody put in quotation marks.
      if layout.caption == layout.count - 1 {
        caption = Array(fields.values[layout.caption...].joined(separator: [layout.separator]))
      }
      let name = fields.values[layout.image].drop { $0 == 0x20 }
      reader.add(name: name, caption: caption, location: "line \(first.number)")
    }
  }
}

/// The fields of a line of a table (RFC 4180).
struct TableFields {
  let separator: UInt8
  /// The fields so far.
  private(set) var values: [[UInt8]] = [[]]
  /// Whether a quotation mark waits for its second, maybe on the next line.
  private(set) var isOpen = false

  init(separator: UInt8) { self.separator = separator }

  /// Takes up a line.
  mutating func add(_ line: Slice<UnsafeRawBufferPointer>) {
    if isOpen { values[values.count - 1].append(0x20) }
    var position = line.startIndex
    while position < line.endIndex {
      let byte = line[position]
      let next = position + 1 < line.endIndex ? line[position + 1] : 0
      position += 1
      if isOpen && byte == Self.quote && next == Self.quote {
        values[values.count - 1].append(byte)
        position += 1
      } else if isOpen && byte == Self.quote {
        isOpen = false
      } else if byte == separator && !isOpen {
        values.append([])
      } else if byte == Self.quote && !isOpen && values[values.count - 1].isEmpty
        && separator != UInt8(ascii: "|")
      {
        // Quotation marks of Flickr30k's tables are the captions' own.
        isOpen = true
      } else {
        values[values.count - 1].append(byte)
      }
    }
  }

  private static let quote = UInt8(ascii: "\"")
}
