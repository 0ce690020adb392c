import Language
import Support

@testable import Datasets

#if canImport(TestSupport)
  import TestSupport
#endif

/// Readers of what is learned beside captions.
extension ForeignReader {
  /// Sentences without photos, and lists of words.
  static let sentences = ForeignReader(
    name: "sentences", words: ["a dog", "\r\n", "\u{FEFF}", "...", "\u{E9}", "#", "[", "{"],
    seeds: {
      ["a dog runs\r\n\n...\nTwo cats.", "\u{FEFF}# no word\nein Hund\n一只狗\n"].map { Array($0.utf8) }
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let text = outcome { try TokenizedCaptions(textFiles: [scratch.path]) }
      if let sentences = text.value {
        guard !sentences.isEmpty, sentences.allSatisfy({ !$0.isEmpty }) else { throw Wrong("no word") }
      } else {
        try named(text.error, scratch)
      }
      let list = outcome { try WordList(path: scratch.path) }
      if list.value == nil { try named(list.error, scratch) }
    })

  /// Labels of photos, and tables of everyday words for them.
  static let labels = ForeignReader(
    name: "labels",
    words: [
      "\"file_name\":", "\"label\":", "file_name,label\n", "\t", "-", "\"", "../", "\\u0000", "null", "#",
    ],
    seeds: {
      [
        #"[{"file_name": "a.jpg", "label": "crab"}, {"file_name": "b/c.jpg", "label": "beach_wagon", "set": 1}]"#,
        "file_name,label\na.jpg,\"a \"\"big\"\" dog\"\nb.jpg,cat\n", "label\tfile\ncrab\ta.jpg\n",
        "beach wagon\tcar\n# none\nslot,-\n",
      ].map { Array($0.utf8) }
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let names = outcome { try LabelNames(path: scratch.path) }
      if names.value == nil { try named(names.error, scratch) }
      let found = outcome {
        try LabelledPhotos(paths: [scratch.path], images: ["photos"], names: names.value ?? LabelNames())
      }
      guard let labels = found.value else { return try named(found.error, scratch) }
      guard labels.photos.allSatisfy({ $0.path.hasPrefix("photos/") && !$0.path.contains("/../") }) else {
        throw Wrong("a photo outside of its folder")
      }
      for photo in labels.photos {
        guard !photo.label.isEmpty else { throw Wrong("a photo without a label") }
        let words = Tokenizer().tokens(photo.label)
        for number in 0..<LabelTemplates.count where !words.isEmpty {
          guard LabelTemplates.caption(of: words, number).count >= words.count else {
            throw Wrong("no caption")
          }
        }
      }
    })

  /// A teacher's scores.
  static let scores = ForeignReader(
    name: "scores",
    words: ["scores", "names", "F32", "F16", "BF16", "[2,3]", "\\\"a.jpg\\\"", "../", "null"],
    seeds: {
      try [
        file([("scores", "F32", 4, [2, 3])], ["names": #"["a.jpg", "b/c.jpg"]"#]),
        file([("scores", "BF16", 2, [1, 5])], ["names": #"["a.jpg"]"#]),
        file([("scores", "F16", 2, [2, 2])], ["names": #"["a", "../b"]"#]),
      ]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let found = outcome { try TeacherScores(path: scratch.path, images: "photos") }
      guard let scores = found.value else { return try named(found.error, scratch) }
      for row in scores.names.indices {
        guard scores[row].count == scores.classes, scores[row].allSatisfy(\.isFinite) else {
          throw Wrong("row \(row)")
        }
      }
      _ = scores.fingerprint
    })

  static func named(_ error: String, _ scratch: ScratchFile) throws {
    guard error.hasPrefix(scratch.path) else { throw Wrong("no file in: \(error)") }
  }
}
