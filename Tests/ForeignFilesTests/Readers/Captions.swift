import Foundation
import Language
import CaptionMetrics
import Support

@testable import Datasets

extension ForeignReader {
  private static let words = [
    "\"images\":", "\"annotations\":", "\"id\":", "\"image_id\":", "\"file_name\":", "\"caption\":",
    "\"captions\":",
    "\"sentences\":", "\"raw\":", "\"tokens\":", "\"filename\":", "\"filepath\":", "\"cocoid\":",
    "\"imgid\":",
    "\"split\":", "\"text\":", "\"log_prob\":", "\"reference_log_probs\":", "\"error\":", "\"file_path\":",
    "\"image\":",
    "#0\t", "image,caption\n", "| ", "null", "-1", "1e400", "9223372036854775807", "\\ud800", "\\u0000", "{",
    "}", "[",
    "]", "\u{FEFF}", "../", "\\\\",
  ]

  /// A file of every kind that holds captions.
  private static let files = [
    #"{"images": [{"id": 1, "file_name": "a.jpg"}, {"id": "x", "file_name": "b.jpg"}], "annotations": [{"image_id": 1, "caption": "A dog."}, {"image_id": "x", "caption": ""}]}"#,
    #"{"images": [{"filepath": "f", "filename": "a.jpg", "cocoid": 39, "split": "test", "sentences": [{"tokens": ["a"]}, {"raw": "A man."}]}]}"#,
    #"[{"file_path": "a.jpg", "id": 12, "captions": ["A dog.", ""]}, {"file_path": "b.jpg", "captions": ["Two"], "split": "val"}]"#,
    #"[{"image": "a.jpg", "caption": ["A dog."]}, {"image": "b.jpg", "caption": "Two cats."}]"#,
    "{\"file_name\": \"a.jpg\", \"text\": \"A dog.\"}\n{\"image\": \"b.jpg\", \"captions\": [{\"caption\": \"a\", \"log_prob\": -1}]}\n",
    #"{"image_id": 3, "file": "b", "error": "no"}"#,
    "a.jpg#0\tA child .\r\nb.jpg#0\t\n\na.jpg#1\tA girl\tgoes\n",
    "image,caption\na.jpg,\"A \"\"big\"\" dog, and\na cat\"\nb.jpg,Two\n",
    "image_name| comment_number| comment\na.jpg| 0| A dog .\n", "\u{FEFF}a dog\nzwei Hunde\n一只狗\n",
    #"[{"image_id": 1, "caption": "a dog", "log_prob": -3.5, "reference_log_probs": [-1, -2]}, {"image_id": 0, "caption": ""}]"#,
  ].map { Array($0.utf8) }

  /// Caption files to learn from, and to be scored against.
  static let captions = ForeignReader(
    name: "captions", words: words, seeds: { files },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let data = outcome { try CaptionDataset(path: scratch.path, images: "photos", split: .ifAny("train")) }
      if let data = data.value {
        guard Set(data.images.map(\.id)).count == data.images.count else { throw Wrong("an id comes twice") }
        guard data.images.allSatisfy({ !$0.captions.contains("") }) else { throw Wrong("an empty caption") }
        guard data.images.allSatisfy({ $0.path.hasPrefix("photos/") && !$0.path.contains("/../") }) else {
          throw Wrong("an image outside of its folder")
        }
        for line in data.warnings + data.brokenEntries { _ = line.printable() }
      } else {
        try check(data.error, scratch)
      }
      let references = outcome { try ReferenceCaptions(path: scratch.path) }
      if references.value == nil { try check(references.error, scratch) }
    })

  /// Captions to be scored.
  static let results = ForeignReader(
    name: "results", words: words, seeds: { files },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let alone = outcome { try CaptionResult.read(from: scratch.path) }
      if alone.value == nil { try check(alone.error, scratch) }
      if let references = try? ReferenceCaptions(path: scratch.path) {
        let told = outcome { try CaptionResult.read(from: scratch.path, about: references) }
        if let results = told.value {
          guard Set(results.map(\.imageID)).count == results.count else {
            throw Wrong("an image comes twice")
          }
        } else {
          try check(told.error, scratch)
        }
      }
    })

  /// A folder of text files.
  static let folder = ForeignReader(
    name: "folder", longest: 1024, words: ["\n", "\r\n", "\u{FEFF}"],
    seeds: { [Array("A dog.\nTwo cats.\n".utf8), [0xEF, 0xBB, 0xBF, 0x61], []] },
    read: { bytes, _ in
      let folder = "\(ScratchFile.folder)/captioner-foreign-\(getpid())"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      for (name, content) in [("a.jpg", Data()), ("a.txt", Data(bytes))] {
        guard FileManager.default.createFile(atPath: folder + "/" + name, contents: content) else {
          throw Wrong("\(folder): can't be written")
        }
      }
      _ = try? CaptionDataset(path: folder, images: folder)
    })

  /// Text from files: as words, in a terminal, as a name, under the metrics.
  static let text = ForeignReader(
    name: "text", longest: 512,
    words: ["n't", "'s", "...", "$1,000.50", "\u{A0}", "22 3/4", "\u{202E}", "\u{1B}[2J", "http://"],
    seeds: {
      ["A dog isn't running; 3.5 cats, e.g. \"two\"!", "Ü 一只 \u{1F468}\u{200D}\u{1F469} <s>"].map {
        Array($0.utf8)
      }
    },
    read: { bytes, _ in
      let text = String(decoding: bytes, as: UTF8.self)
      let lines = text.split(separator: "\n").map(String.init)
      let tokens = lines.map { Tokenizer().tokens($0) }
      for (line, tokens) in zip(lines, tokens) where Tokenizer().tokens(line) != tokens {
        throw Wrong("other words")
      }
      let shown = text.printable()
      guard !shown.unicodeScalars.contains(where: { $0.value < 32 || (0x7F..<0xA0).contains($0.value) })
      else {
        throw Wrong("a control character is left")
      }
      _ = text.shortened(to: 9)
      let name = FileName.text(bytes)
      guard FileName.bytes(name).elementsEqual(bytes) else { throw Wrong("the name has other bytes") }
      let samples = tokens.prefix(4).map { Sample(candidate: $0, references: Array(tokens.prefix(3))) }
      guard !samples.isEmpty else { return }
      let statistics = CaptionStatistics(samples)
      let all = (0..<samples.count).flatMap { statistics.sample($0) }
      guard all.allSatisfy(\.isFinite) else { throw Wrong("a score that is no number") }
    })

  /// Errors name the file, and are one line.
  private static func check(_ error: String, _ scratch: ScratchFile) throws {
    guard error.hasPrefix(scratch.path) else { throw Wrong("no file in: \(error)") }
  }
}
