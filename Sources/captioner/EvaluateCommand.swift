import ArgumentParser
import Captioning
import Datasets
import Evaluation
import Foundation
import Tensors

/// `captioner evaluate`: captions a data set and scores the captions.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Captions a data set and scores captions and model.",
    discussion: """
      Prints BLEU-1 to BLEU-4 (0 to 1, as pycocoevalcap), the references'
      perplexity per word (unknown words and the end token counted), the loss
      per word with every image exchanged for another, the captions' mean
      log-probability and the share of distinct captions. --results writes
      COCO's results JSON with log_prob added, and the log-probs of the
      references.

      Examples:
        captioner evaluate --captions captions_val.json --images photos
        captioner evaluate --captions captions_val.json --images photos --results results.json --format json
        captioner evaluate --captions captions_val.json --images photos --beam-width 5 --length-normalization wu
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Option(help: ArgumentHelp("COCO caption JSON with the references.", valueName: "file")) var captions:
    String
  @Option(help: ArgumentHelp("Folder of its images.", valueName: "folder")) var images: String
  @OptionGroup var model: ModelOption
  @OptionGroup var search: SearchFlags
  @Option(help: ArgumentHelp("Where to write a line of JSON per image.", valueName: "file")) var results:
    String?
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  private struct Result: Encodable {
    let image_id: Int
    let caption: String
    let log_prob: Float
    let reference_log_probs: [Float]
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let dataset = try CaptionDataset(cocoCaptions: captions)
      for warning in dataset.warnings { Console.complain(warning) }
      let wanted = dataset.images.filter { !$0.captions.isEmpty }
      _ = try dataset.missingFiles(in: images)
      guard !wanted.isEmpty else { throw Failure(description: "\(captions): expected captions, found none") }
      let captioner = try Captioner(modelAt: model.resolved(), residency: .resident)
      let options = try search.options(vocabulary: captioner.description.vocabulary)
      let sampling = try search.sampling(vocabulary: captioner.description.vocabulary)
      let (found, pooled) = try encode(wanted, captioner)
      guard !found.isEmpty else {
        throw Failure(description: "\(images): expected images, found none that can be read")
      }
      var progress = ProgressLine("captions", total: found.count, unit: "images")
      let (scores, rows) = Evaluator(captioner).evaluate(found, pooled: pooled, options, sampling: sampling) {
        progress.update($0)
      }
      progress.finish(found.count)
      if let results {
        let lines = try rows.map {
          try Console.json(
            Result(
              image_id: $0.imageID, caption: $0.caption.text, log_prob: $0.caption.logProb,
              reference_log_probs: $0.references))
        }
        try AtomicFile.write(to: results) { try $0.write("[\n" + lines.joined(separator: ",\n") + "\n]\n") }
      }
      try report(scores)
      if found.count < wanted.count { throw ExitCode(1) }
    }
  }

  /// The images that can be read, and their pooled maps.
  private func encode(_ wanted: [CaptionedImage], _ captioner: Captioner) throws -> ([CaptionedImage], Tensor)
  {
    let files = wanted.map { images + "/" + $0.fileName }
    let loader = ImageLoader(captioner.description.preprocessing)
    var progress = ProgressLine("features", total: files.count, unit: "images")
    var scalars: [Float] = []
    var found: [CaptionedImage] = []
    for start in stride(from: 0, to: files.count, by: VGGEncoder.batchSize) {
      let range = start..<min(files.count, start + VGGEncoder.batchSize)
      let batch = loader.load(files, range)
      for failure in batch.failures { Console.complain("\(failure.error)") }
      if !batch.indices.isEmpty { scalars += try captioner.pooled(batch.images).scalars }
      found += batch.indices.map { wanted[$0] }
      progress.update(range.upperBound)
    }
    progress.finish(files.count)
    return (found, Tensor(scalars, [found.count, captioner.description.encoder.pooledSize]))
  }

  private func report(_ scores: Evaluator.Scores) throws {
    if format == .json {
      let values: [String: Double] = [
        "Bleu_1": scores.bleu[0], "Bleu_2": scores.bleu[1], "Bleu_3": scores.bleu[2],
        "Bleu_4": scores.bleu[3],
        "perplexity": scores.perplexity, "loss": scores.loss, "loss_shuffled_images": scores.shuffledLoss,
        "mean_log_prob": scores.meanLogProb, "distinct": scores.distinct, "images": Double(scores.images),
      ]
      try Console.print(Console.json(values))
      return
    }
    let rows = [
      ("images", String(scores.images)),
      ("BLEU-1", String(format: "%.1f", scores.bleu[0] * 100)),
      ("BLEU-2", String(format: "%.1f", scores.bleu[1] * 100)),
      ("BLEU-3", String(format: "%.1f", scores.bleu[2] * 100)),
      ("BLEU-4", String(format: "%.1f", scores.bleu[3] * 100)),
      ("perplexity", String(format: "%.2f", scores.perplexity)),
      ("loss per word", String(format: "%.3f", scores.loss)),
      ("… images exchanged", String(format: "%.3f", scores.shuffledLoss)),
      ("mean log-prob", String(format: "%.2f", scores.meanLogProb)),
      ("distinct captions", String(format: "%.3f", scores.distinct)),
    ]
    for (name, value) in rows {
      try Console.print(name.padding(toLength: 22, withPad: " ", startingAt: 0) + value)
    }
  }
}
