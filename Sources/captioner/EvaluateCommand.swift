import ArgumentParser
import Captioning
import Datasets
import Evaluation
import Foundation
import Reporting
import Support

/// `captioner evaluate`: captions a data set and scores the captions.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Captions a data set and scores captions and model.",
    discussion: """
      Prints BLEU-1 to BLEU-4, ROUGE-L and CIDEr as pycocoevalcap, with 95 %
      bootstrap intervals over images; the references' perplexity per word
      (unknown words and the end token counted), the loss per word with every
      image exchanged for another, and how often the reference's word is the
      model's first choice or among its first five; the captions' mean
      log-probability and length and the share of distinct captions; and how well
      confidence tells captions whose CIDEr is at least the threshold: the
      model's own, or, if it has none, one fitted here and cross-validated.

      --results writes COCO's results JSON with log_prob added, each image's
      scores, all its captions and what the model thinks of the references.
      --features keeps the image features, which take most of the time: a run
      that was stopped goes on from there, and another is quick.
      --retrieval finds each caption's image and each image's captions by
      log-probability among the first images (--retrieval-images) and all their
      captions. For an image captions are ranked by ln p(c|i) - ln p(c), p(c) the
      mean over the images; ln p(c|i) itself and per word are given too.
      --calibrate writes a copy of the model that tells its confidence.

      Examples:
        captioner evaluate --captions captions_val.json --images photos
        captioner evaluate --captions captions_val.json --images photos --results results.json --format json
        captioner evaluate --captions captions_val.json --images photos --sample --top-p 0.9
        captioner evaluate --captions captions_val.json --images photos --features val.features \\
          --sweep-beam-widths 1,3,5,10 --retrieval --report report.html
        captioner evaluate --captions captions_val.json --images photos --calibrate calibrated.safetensors
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @OptionGroup var data: DatasetOptions
  @OptionGroup var model: ModelOption
  @OptionGroup var search: SearchFlags
  @Option(
    name: .customLong("n-best"),
    help: ArgumentHelp("Captions per image in results and report, at most the beam width.", valueName: "n"))
  var nBest = 1
  @Option(help: ArgumentHelp("Where to write a line of JSON per image.", valueName: "file")) var results:
    String?
  @Option(help: ArgumentHelp("Where to keep the image features for another time.", valueName: "file"))
  var features: String?
  @OptionGroup var sweep: SweepFlags
  @Flag(help: "Find images by captions and captions by images.") var retrieval = false
  @Option(help: ArgumentHelp("Images to find among: the first of the file.", valueName: "n"))
  var retrievalImages = 100
  @Option(help: ArgumentHelp("Where to write the model with its confidence.", valueName: "file"))
  var calibrate: String?
  @Option(help: ArgumentHelp("Where to write an HTML report; its pictures go beside it.", valueName: "file"))
  var report: String?
  @Option(help: ArgumentHelp("The CIDEr from which on a caption counts as good.", valueName: "x"))
  var confidenceThreshold = 0.5
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (1...search.beamWidth).contains(nBest) else {
      throw ValidationError("--n-best: expected 1 to the beam width \(search.beamWidth), found \(nBest)")
    }
    guard retrievalImages > 0 else {
      throw ValidationError("--retrieval-images: expected at least 1, found \(retrievalImages)")
    }
    guard confidenceThreshold > 0, confidenceThreshold < 10 else {
      throw ValidationError(
        "--confidence-threshold: expected a CIDEr between 0 and 10, found \(confidenceThreshold)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let dataset = try data.read(unlessNamed: "val")
      let wanted = dataset.images.filter { !$0.captions.isEmpty }
      _ = try dataset.missingFiles()
      guard !wanted.isEmpty else {
        throw Failure(description: "\(data.names): expected captions, found none")
      }
      let clock = ContinuousClock()
      let start = clock.now
      let captioner = try Captioner(
        modelAt: model.resolved(), residency: .resident, arithmetic: encoding.arithmetic)
      let vocabulary = captioner.description.vocabulary
      let options = try search.options(captions: nBest, vocabulary: vocabulary)
      let sampling = try search.sampling(captions: nBest, vocabulary: vocabulary)
      let source = EvaluationFeatures(captioner, images: wanted)
      let (found, pooled) = try features.map(source.cached) ?? source.computed()
      guard !found.isEmpty else {
        throw Failure(
          description: "\(data.images.joined(separator: ", ")): expected images, found none that can be read")
      }
      let evaluator = Evaluator(captioner, found, pooled: pooled)
      let evaluation = showingProgress("captions", found.count, "images") {
        evaluator.evaluate(options, sampling: sampling, progress: $0)
      }
      let seconds = (clock.now - start) / .seconds(1)
      let confidence = try ConfidenceReport(evaluation, captioner, threshold: confidenceThreshold, calibrate)
      let points = sweep.points(options)
      let summary = EvaluationSummary(
        scores: evaluation.scores, seconds: seconds, confidence: confidence,
        retrieval: retrieval
          ? showingProgress("retrieval", min(retrievalImages, found.count), "images") {
            evaluator.retrieval(images: retrievalImages, progress: $0)
          } : nil,
        sweep: points.isEmpty
          ? nil
          : showingProgress("sweep", found.count * points.count, "images") {
            evaluator.sweep(points, progress: $0)
          })
      if let results {
        try EvaluationResults(evaluation, ranks: summary.retrieval?.captionRanks).write(to: results)
      }
      if let report {
        let page = summary.report(
          evaluation, data: data.names, model: captioner.path, ways: "beam width \(search.beamWidth)")
        try showingProgress("report", min(found.count, Report.galleryLimit), "images") {
          try page.write(to: report, progress: $0)
        }
      }
      try Console.print(format == .json ? Console.json(summary) : summary.text)
      if found.count < wanted.count { throw ExitCode(1) }
    }
  }

  private func showingProgress<R>(
    _ title: String, _ total: Int, _ unit: String, _ body: ((Int) -> Void) throws -> R
  )
    rethrows -> R
  {
    var progress = ProgressLine(title, total: total, unit: unit)
    let result = try body { progress.update($0) }
    progress.finish(total)
    return result
  }
}
