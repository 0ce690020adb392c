/// A kind of caption file. A new one is a file beside this one, and a line in `all`.
protocol CaptionFormat {
  /// What messages call it.
  static var name: String { get }

  /// Whether the file is of this kind, told by its first bytes or the keys it has.
  static func recognises(_ source: CaptionSource) -> Bool

  /// Reads it; what is broken in it costs itself alone and is noted by the reader.
  /// - Throws: `DatasetError` when nothing can be read at all.
  static func read(_ source: CaptionSource, into reader: inout CaptionReader) throws(DatasetError)
}

/// Every kind of caption file, in the order in which they are tried.
enum CaptionFormats {
  static var all: [any CaptionFormat.Type] {
    [
      CaptionFolder.self, JSONLinesFormat.self, KarpathyFormat.self, COCOFormat.self, EntryListFormat.self,
      FlickrTokenFormat.self, CaptionTableFormat.self,
    ]
  }

  /// The names of all, for messages.
  static var names: String { all.map { $0.name }.joined(separator: ", ") }
}
