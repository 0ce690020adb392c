import ArgumentParser
import Datasets
import Foundation
import Language
import Metrics
import Synchronization

/// `captioner metrics`: scores captions that some program made.
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Scores a file of captions against references.",
    discussion: """
      Prints BLEU-1 to BLEU-4, ROUGE-L and CIDEr, as pycocoevalcap with its
      tokenizer, with 95 % bootstrap intervals over images; the shares of
      distinct captions, words (distinct-1) and pairs of words (distinct-2);
      lengths; the share of captions that are not among --training-captions;
      and perplexity per word if the results tell the log-probs of all
      references, as those of captioner evaluate do.

      Only images with a result count, for CIDEr's document frequencies too.
      Results for unknown images and two for one image are refused.

      Examples:
        captioner metrics --references captions_val.json --results results.json
        captioner metrics --references captions_val.json --results results.json --format json
        captioner metrics --references captions_val.json --results results.json \\
          --training-captions captions_train.json --per-image scores.json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Option(help: ArgumentHelp("COCO caption JSON with the references.", valueName: "file")) var references:
    String
  @Option(help: ArgumentHelp("COCO results JSON with a caption an image.", valueName: "file")) var results:
    String
  @Option(help: ArgumentHelp("COCO caption JSON that the model learned from.", valueName: "file"))
  var trainingCaptions: String?
  @Option(help: ArgumentHelp("Where to write each image's scores, a line of JSON each.", valueName: "file"))
  var perImage: String?
  @Option(help: ArgumentHelp("How often images are drawn for the intervals; 0 for none.", valueName: "n"))
  var resamples = 1000
  @Option(help: ArgumentHelp("Of the drawing.", valueName: "n")) var seed: UInt64 = 1
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (0...100_000).contains(resamples) else {
      throw ValidationError("--resamples: expected 0 to 100000, found \(resamples)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let captions = try ReferenceCaptions(coco: references).captions
      let found = try CaptionResult.read(from: results)
      try check(found, against: captions)
      let candidates = tokens(found.map(\.caption))
      let samples = zip(candidates, groups(found.map { captions[$0.imageID] ?? [] })).map {
        Sample(candidate: $0, references: $1)
      }
      let novelty = try trainingCaptions.map {
        Novelty(candidates, training: tokens(try ReferenceCaptions(coco: $0).captions.values.flatMap(\.self)))
      }
      let report = MetricsReport(results: found, samples: samples, novelty: novelty)
      if let perImage { try report.writeRows(to: perImage) }
      let intervals =
        resamples > 0 ? report.scores.intervals(Bootstrap(resamples: resamples, seed: seed)) : []
      try Console.print(
        format == .json ? Console.json(report.object(intervals)) : report.text(intervals))
    }
  }

  /// Refuses results that can't be scored, tells of what is odd.
  private func check(_ found: [CaptionResult], against captions: [Int: [String]]) throws {
    guard !found.isEmpty else { throw Failure(description: "\(results): expected results, found none") }
    let unknown = found.filter { captions[$0.imageID] == nil }.map(\.imageID)
    guard unknown.isEmpty else {
      throw Failure(description: "\(results): \(Self.list(unknown)) not among the images of \(references)")
    }
    let bare = found.filter { captions[$0.imageID]?.isEmpty == true }.map(\.imageID)
    guard bare.isEmpty else {
      throw Failure(description: "\(results): \(Self.list(bare)) without a caption in \(references)")
    }
    let missing = Set(captions.keys).subtracting(found.map(\.imageID)).sorted()
    if !missing.isEmpty {
      Console.complain("\(results): no result for \(Self.list(missing)) of \(references): not scored")
    }
  }

  /// `image 3`, or `4 images (1, 2, 3, …)`.
  private static func list(_ ids: [Int]) -> String {
    let names = ids.prefix(3).map(String.init).joined(separator: ", ")
    return ids.count == 1 ? "image \(names)" : "\(ids.count) images (\(names)\(ids.count > 3 ? ", …" : ""))"
  }

  /// The words of each of several images' captions.
  private func groups(_ captions: [[String]]) -> [[[String]]] {
    var words = tokens(captions.flatMap(\.self))[...]
    return captions.map { group in
      defer { words = words.dropFirst(group.count) }
      return Array(words.prefix(group.count))
    }
  }

  /// The words of each caption, tokenized on all threads.
  private func tokens(_ captions: [String]) -> [[String]] {
    let threads = max(1, engine.threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let pieces = Mutex<[Int: [[String]]]>([:])
    let size = (captions.count + threads - 1) / threads
    DispatchQueue.concurrentPerform(iterations: threads) { piece in
      let range = min(captions.count, piece * size)..<min(captions.count, (piece + 1) * size)
      let words = captions[range].map(Tokenizer().wholeTokens)
      pieces.withLock { $0[piece] = words }
    }
    return pieces.withLock { pieces in (0..<threads).flatMap { pieces[$0] ?? [] } }
  }
}
