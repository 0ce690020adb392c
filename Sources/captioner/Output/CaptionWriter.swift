import ArgumentParser
import Datasets
import Imaging
import Language
import Support

/// How captions are printed.
enum CaptionFormat: String, ExpressibleByArgument, CaseIterable { case text, json, csv }

/// Prints captions as the formats of `caption` and `score` have them.
struct CaptionWriter {
  let format: CaptionFormat
  /// Whether lines of text begin with the image's path.
  var namesImages = true
  private var wroteHeader = false

  init(format: CaptionFormat) { self.format = format }

  /// Prints an image's captions, the best first.
  mutating func write(image: String, captions: [Caption]) throws {
    switch format {
    case .text:
      let prefix = namesImages ? image.printable() + ": " : ""
      for caption in captions {
        // Programs read this line: what is new goes elsewhere.
        try Console.print(
          "\(prefix)\(caption.text.printable())  (log-prob \(Console.logProb(caption.logProb)))")
      }
    case .json:
      try Console.print("{\"image\":\(Console.json(image)),\"captions\":\(Console.json(captions))}")
    case .csv:
      for (rank, caption) in captions.enumerated() {
        try row(image, "\(rank + 1)", caption.text, "\(caption.logProb)", "")
      }
    }
  }

  /// Tells that an image could not be captioned: in the data too, where the format has a place for it.
  mutating func write(image: String, error: String) throws {
    Console.complain(error)
    switch format {
    case .text: break
    case .json: try Console.print("{\"image\":\(Console.json(image)),\"error\":\(Console.json(error))}")
    case .csv: try row(image, "", "", "", error)
    }
  }

  private mutating func row(
    _ image: String, _ rank: String, _ caption: String, _ logProb: String, _ error: String
  ) throws {
    if !wroteHeader { try Console.print("image,rank,caption,log_prob,error") }
    wroteHeader = true
    let fields = [
      Console.csv(text: image), rank, Console.csv(text: caption), logProb, Console.csv(text: error),
    ]
    // Names byte for byte: other programs open them.
    try Console.write(FileName.bytes(fields.joined(separator: ",") + "\n"))
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
