import ArgumentParser
import Datasets
import Imaging
import Language
import Support

/// How captions are printed.
enum CaptionFormat: String, ExpressibleByArgument, CaseIterable { case text, json, csv }

/// Prints captions as the formats of `caption` and `score` have them.
struct CaptionWriter {
  /// The first line of a table.
  static let csvTitles = "image,rank,caption,log_prob,error,confidence"

  let format: CaptionFormat
  /// Whether lines of text begin with the image's path.
  var namesImages = true
  /// The confidence below which text calls a caption unsure; nil: none.
  var unsureBelow: Double?
  /// Where whole lines go.
  private let put: ([UInt8]) throws -> Void
  private var wroteTitles = false

  /// Prints to standard output.
  /// - Parameter besideFiles: whether files are written too, which are made also where nobody reads what is printed.
  init(format: CaptionFormat, besideFiles: Bool = false) {
    self.format = format
    put = { besideFiles ? try Console.writeWhileRead($0) : try Console.write($0) }
  }

  /// Writes json or csv to a file that has its titles.
  init(format: CaptionFormat, to output: ResumableOutput) {
    self.format = format
    put = { try output.append($0) }
    wroteTitles = true
  }

  /// Prints an image's captions, the best first. There may be none: then json has an empty list, csv an empty row.
  mutating func write(image: String, captions: [Caption]) throws {
    switch format {
    case .text:
      let prefix = namesImages ? image.printable() + ": " : ""
      for caption in captions {
        let isUnsure = caption.confidence.map { $0 < unsureBelow ?? 0 } ?? false
        // Programs read this line: what is new goes elsewhere, or behind it.
        try line(
          "\(prefix)\(caption.text.printable())  (log-prob \(Console.logProb(caption.logProb)))"
            + (isUnsure ? "  (unsure)" : ""))
      }
    case .json: try line("{\"image\":\(Console.json(image)),\"captions\":\(Console.json(captions))}")
    case .csv:
      if captions.isEmpty { try rows([[Console.csv(text: image), "", "", "", "", ""]]) }
      try rows(
        captions.enumerated().map { rank, caption in
          [
            Console.csv(text: image), "\(rank + 1)", Console.csv(text: caption.text), "\(caption.logProb)",
            "",
            caption.confidence.map { "\($0)" } ?? "",
          ]
        })
    }
  }

  /// Tells that an image could not be captioned: in the data too, where the format has a place for it.
  mutating func write(image: String, error: String) throws {
    Console.complain(error)
    switch format {
    case .text: break
    case .json: try line("{\"image\":\(Console.json(image)),\"error\":\(Console.json(error))}")
    case .csv: try rows([[Console.csv(text: image), "", "", "", Console.csv(text: error), ""]])
    }
  }

  private func line(_ text: String) throws { try put(Array((text + "\n").utf8)) }

  /// Rows that belong together, in one piece.
  private mutating func rows(_ rows: [[String]]) throws {
    guard !rows.isEmpty else { return }
    if !wroteTitles { try line(Self.csvTitles) }
    wroteTitles = true
    // Names byte for byte: other programs open them.
    try put(FileName.bytes(rows.map { $0.joined(separator: ",") + "\n" }.joined()))
  }
}

/// Progress of a batch whose results go to a file; on a terminal the results themselves are the progress.
struct BatchProgress {
  private var progress: ProgressLine?
  private let total: Int

  init(total: Int, shown: Bool) {
    self.total = total
    progress = shown ? ProgressLine("captions", total: total, unit: "images") : nil
  }

  mutating func update(_ done: Int) { progress?.update(done) }
  /// - Parameter failed: how many of them came to nothing.
  mutating func finish(failed: Int) { progress?.finish(total - failed) }
}
