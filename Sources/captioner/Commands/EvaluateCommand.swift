import ArgumentParser
import Models
import Datasets
import Evaluation
import Foundation
import Imaging
import Reporting
import Support
import Tensors

/// `captioner evaluate`: captions a data set and scores the captions.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Captions a data set and scores captions and model.",
    usage: "captioner evaluate [<options>] --captions <file> --images <folder>",
    discussion: """
      Prints BLEU-1 to BLEU-4, ROUGE-L and CIDEr as pycocoevalcap, with 95 %
      bootstrap intervals over images; the references' perplexity per word
      (unknown words and the end token counted), the loss per word of mismatched
      images (every image exchanged for another), and how often the reference's
      word is the model's first choice or among its first five; the captions' mean
      log-probability and length and the share of distinct captions; and how well
      confidence tells captions whose CIDEr is at least the threshold: the
      model's own, or, if it has none, one fitted here and cross-validated.

      --meteor adds METEOR, computed with the data of METEOR 1.5, of the captions as
      they are: not of a sweep's, nor of each caption file by itself.

      Tables show scores and shares in percent, CIDEr too; JSON has them as
      pycocoevalcap gives them, 0 to 1 (CIDEr: to 10). mismatched_image_loss is there under its earlier names
      loss_shuffled_images and shuffled_loss too.

      --results writes COCO's results JSON with log_prob added, each image's
      scores, all its captions and what the model thinks of the references.
      --features keeps the image features, which take most of the time: a run
      that was stopped goes on from there, and another is quick. For a model that
      was trained on features (train --features) it is the file of such of these
      images, which is read; --images is needed for the report's pictures only.
      --retrieval finds each caption's image and each image's captions by
      log-probability among the first images (--retrieval-images) and all their
      captions. For an image captions are ranked by ln p(c|i) - ln p(c), p(c) the
      mean over the images; ln p(c|i) itself and per word are given too.
      --words tells precision and recall of the words of a list, or of some
      words after each other: one is rightly said where some reference of the
      image has it.
      --calibrate writes a copy of the model that tells its confidence, fitted on
      the captions at hand: give it photos of every kind that the model is for.
      It tells too below which confidence caption calls captions unsure: the highest
      below which at most a quarter of these captions reach the threshold.

      Examples:
        captioner evaluate --captions captions_val.json --images photos
        captioner evaluate --captions val.json --images photos \\
          --results results.json --format json
        captioner evaluate --captions val.json --images photos --sample --top-p 0.9
        captioner evaluate --captions val.json --images photos \\
          --features val.features --sweep-beam-widths 1,3,5,10 --retrieval --report report.html
        captioner evaluate --captions val.json --images photos --report report.html --explain
        captioner evaluate --captions val.json --images photos \\
          --calibrate calibrated.safetensors
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @OptionGroup var data: DatasetOptions
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var model: ModelOption
  @OptionGroup var search: SearchFlags
  @Option(
    name: .customLong("n-best"),
    help: ArgumentHelp(
      "Captions per image in results and report; at most the beam width, or 100 with --sample (default: 1).",
      valueName: "n"))
  var nBest: Int?
  @Option(help: ArgumentHelp("Where to write a line of JSON per image.", valueName: "file")) var results:
    String?
  @Option(
    help: ArgumentHelp(
      "Where to keep the image features for another time; the features of a model that was trained on such.",
      valueName: "file"))
  var features: String?
  @OptionGroup var sweep: SweepFlags
  @Flag(help: "Find images by captions and captions by images.") var retrieval = false
  @Option(help: ArgumentHelp("Images to find among: the first of the file (default: 100).", valueName: "n"))
  var retrievalImages: Int?
  @Option(
    help: ArgumentHelp(
      "List of words, one a line: how often captions say each, and how often a reference has it.",
      valueName: "file"))
  var words: String?
  @OptionGroup var meteor: METEOROption
  @Option(help: ArgumentHelp("Where to write the model with its confidence.", valueName: "file"))
  var calibrate: String?
  @Option(help: ArgumentHelp("Where to write an HTML report; its pictures go beside it.", valueName: "file"))
  var report: String?
  @Flag(
    help:
      "The report shows where the model looks for each word; of a model without attention that takes 50 passes of the network a photo."
  ) var explain = false
  @Option(
    help: ArgumentHelp(
      "The CIDEr from which on a caption counts as good, as JSON has it: 0.5 is 50 % (default: 0.5).",
      valueName: "x"))
  var confidenceThreshold: Double?
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if features == nil { try data.checkImages() }
    if let nBest {
      try search.check(captions: nBest, option: "--n-best")
      if results == nil, report == nil, !search.drawing.sample {
        throw ValidationError("--n-best: only with --results, --report or --sample")
      }
    }
    if explain, report == nil { throw ValidationError("--explain: only with --report") }
    if search.drawing.sample {
      if sweep.beamWidths != nil {
        throw ValidationError("--sweep-beam-widths: only without --sample, which does not search")
      }
      if sweep.lengthNormalizations != nil {
        throw ValidationError(
          "--sweep-length-normalizations: only without --sample, whose captions are not ranked")
      }
    }
    if let retrievalImages {
      guard retrieval else { throw ValidationError("--retrieval-images: only with --retrieval") }
      guard retrievalImages > 0 else {
        throw ValidationError("--retrieval-images: expected at least 1, found \(retrievalImages)")
      }
    }
    if let confidenceThreshold, !(confidenceThreshold > 0 && confidenceThreshold < 10) {
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
      let meteorData = try meteor.data()
      let wordList = try words.map { (path) throws(DatasetError) in try WordList(path: path) }
      let modelPath = try model.resolved()
      let given = try givenFeatures(modelPath)
      try checkOutputs(
        given: given != nil,
        reading: wanted.map(\.path) + data.captions.captions + data.skip + [modelPath]
          + [words, meteor.meteor].compactMap(\.self))
      let clock = ContinuousClock()
      let start = clock.now
      let captioner =
        try given == nil
        ? CaptionModel(contentsOf: modelPath, caching: .resident, arithmetic: encoding.arithmetic)
        : CaptionModel(ofFeaturesAt: modelPath)
      if confidenceThreshold != nil, calibrate == nil, captioner.description.confidence != nil {
        throw ValidationError(
          "--confidence-threshold: only with --calibrate: \(captioner.path) has a confidence, with its own "
            + "threshold")
      }
      if given == nil { captioner.encoder.reader = photos.reader }
      captioner.measuresSupport = calibrate != nil || captioner.description.confidence == nil
      let vocabulary = captioner.description.vocabulary
      let strategy = try search.strategy(captions: nBest ?? 1, vocabulary: vocabulary)
      let points = try sweep.points(search.options(vocabulary: vocabulary))
      let found =
        try given.map { try MappedImages(captioner, wanted, given: $0) } ?? mappedImages(captioner, wanted)
      guard !found.images.isEmpty else {
        throw Failure(
          description: "\(data.images.joined(separator: ", ")): expected images, found none that can be read")
      }
      let evaluator = Evaluator(
        LoadedModel(captioner, maps: found.maps),
        found.images.map { EvaluatedImage($0, vocabulary) })
      let count = found.images.count
      if count == 1 { Console.complain(EvaluationError.ciderOfOneImage) }
      var evaluation = showingProgress("captions", count) { evaluator.evaluate(strategy, progress: $0) }
      let seconds = (clock.now - start) / .seconds(1)
      var isComplete = count == wanted.count
      if let meteorData {
        do {
          evaluation = try evaluation.addingMETEOR(meteorData)
        } catch {
          // The captions took longer.
          Console.complain("\(error)")
          isComplete = false
        }
      }
      let retrievalImages = retrievalImages ?? 100
      let trust = try trust(evaluation, captioner)
      var summary = EvaluationSummary(
        scores: evaluation.scores, seconds: seconds,
        decoding: given == nil ? captioner.encoder.reader.decoding : nil,
        trust: trust.known,
        retrieval: retrieval
          ? showingProgress("retrieval", min(retrievalImages, count)) {
            evaluator.retrieval(images: retrievalImages, progress: $0)
          } : nil,
        sweep: points.isEmpty
          ? nil
          : showingProgress("sweep", count * points.count) { evaluator.sweep(points, progress: $0) })
      summary.words = wordList.map { WordScores(evaluation, of: $0.phrases) }
      summary.sources = EvaluationSummary.Source.all(
        data.captions.captions, of: evaluation, trust: trust.known)
      try captioner.checkUnchanged()
      // First of all: whatever becomes of the files, the scores are there. A reader that has gone costs no file either.
      let printed = Result {
        try withoutBrokenPipes { try Console.print(format == .json ? Console.json(summary) : summary.text) }
      }
      if let results {
        try evaluation.writeResults(to: results, ranks: summary.retrieval?.captionRanks ?? [])
      }
      if let calibrate, let confidence = trust.fitted {
        try ModelFile.calibrate(captioner.path, confidence, to: calibrate)
      }
      if let report {
        var page = Report(
          evaluation, summary, data: data.names, model: captioner.path, ways: search.description)
        if explain { page.looks = try looks(of: evaluation, captioner, found) }
        try showingProgress("report", min(count, Report.galleryLimit)) {
          try page.write(to: report, progress: $0)
        }
      }
      try printed.get()
      if !isComplete { throw ExitCode(1) }
    }
  }

  /// The features that are given to a model which was trained on such; nil: it reads photos.
  private func givenFeatures(_ modelPath: String) throws -> FeatureFiles? {
    // What is wrong with the model is said when it is loaded.
    guard let features, let file = try? SafetensorsFile(path: modelPath),
      let description = try? ModelDescription(of: file), description.encoder.given != nil
    else {
      try data.checkImages()
      return nil
    }
    if explain { throw ValidationError("--explain: only of models that read photos") }
    let files = try FeatureFiles(paths: [features])
    try description.check(files)
    return files
  }

  private func mappedImages(_ captioner: CaptionModel, _ images: [CaptionedImage]) throws -> MappedImages {
    var progress: ProgressLine?
    var total = images.count
    func show(_ done: Int, _ pending: Int) {
      if progress == nil { progress = ProgressLine("features", total: pending, unit: "images") }
      total = pending
      progress?.update(done)
    }
    defer { progress?.finish(total) }
    if let features {
      return try MappedImages(
        captioner, images, keptIn: features, progress: show, note: Console.complain,
        failed: Console.complain)
    }
    return try MappedImages(
      captioner, images, progress: { show($0, images.count) }, failed: Console.complain)
  }

  /// Where the model looked for the captions that the report shows.
  private func looks(
    of evaluation: Evaluation, _ captioner: CaptionModel, _ found: MappedImages
  ) throws -> GalleryLooks {
    let shown = Report.shown(of: evaluation)
    let preprocessing = captioner.description.preprocessing
    var explanations: [Int: Explanation] = [:]
    try showingProgress("where it looks", shown.count) { progress in
      for (place, row) in shown.enumerated() {
        let words = captioner.words(of: evaluation.rows[row].caption)
        if let attention = captioner.attention(for: words, maps: found.maps.copied(rows: [row])) {
          explanations[row] = attention
        } else {
          // A photo that is gone by now is shown without.
          let image = try? captioner.encoder.reader.fitted(
            contentsOf: found.images[row].path, to: preprocessing, view: { ImageCrop(all: $0) }
          ).image
          if let image {
            let input = ImageLoader(preprocessing).input([image])
            explanations[row] = try captioner.explanation(of: words, input)
          }
        }
        progress(place + 1)
      }
    }
    return GalleryLooks(explanations, seen: preprocessing)
  }

  /// Tries the destinations before the work.
  /// - Parameter given: whether the features are read, not kept.
  private func checkOutputs(given: Bool, reading inputs: [String]) throws {
    var outputs = Outputs(readingFrom: inputs + data.images + (given ? [features].compactMap(\.self) : []))
    for (path, option) in [
      (results, "--results"), (given ? nil : features, "--features"), (calibrate, "--calibrate"),
      (report, "--report"),
    ] {
      if let path { try outputs.add(path, option) }
    }
    if let report { try outputs.checkFolder(Report.thumbnailFolder(of: report), "--report") }
  }

  /// How far captions can be trusted, and with `--calibrate` the confidence that they give a model.
  private func trust(
    _ evaluation: Evaluation, _ captioner: CaptionModel
  ) throws -> (known: Trust?, fitted: Confidence?) {
    let threshold = confidenceThreshold ?? 0.5
    guard calibrate != nil else {
      let known =
        Trust(evaluation, of: captioner.description.confidence)
        ?? (try? evaluation.calibration(threshold: threshold)).map(Trust.init)
      return (known, nil)
    }
    do {
      let calibration = try evaluation.calibration(threshold: threshold)
      return (Trust(calibration), calibration.confidence)
    } catch {
      throw Failure(description: "--calibrate: \(error)")
    }
  }

  private func showingProgress<R>(
    _ title: String, _ total: Int, _ body: ((Int) -> Void) throws -> R
  ) rethrows -> R {
    var progress = ProgressLine(title, total: total, unit: "images")
    let result = try body { progress.update($0) }
    progress.finish(total)
    return result
  }
}
