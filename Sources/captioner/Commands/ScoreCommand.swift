import ArgumentParser
import Models
import Datasets
import Imaging
import Language
import Support
import Tensors

/// `captioner score`: how likely given captions are.
struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Gives the log-probability of captions for a photo.",
    usage: "captioner score [<options>] <image> <captions> ...",
    discussion: """
      Natural logarithms, for each caption, per word (</s> counted as one) and for
      each word given those before it, with the word's rank among all words.
      Words that the model does not know count as <unk>. --runner-ups shows what
      else the model expected at each place. A calibrated model (captioner
      evaluate --calibrate) gives its confidence too, 0 to 1. An empty caption is
      scored as the end at once.

      A model that was trained on features of another encoder (train --features)
      wants --features FILE; IMAGE is then an image's name or id in it. With
      --captions instead of IMAGE and captions all of a caption file are scored.

      Examples:
        captioner score photo.jpg "a dog runs through the snow"
        captioner score photo.jpg "a dog runs" --format json | jq .captions[0].log_prob
        captioner score photo.jpg "a dog runs through the snow" --runner-ups 3
        captioner score photo.jpg "a dog runs" "a cat sleeps"
        captioner score --features clip.safetensors 1.jpg "a dog runs" --model run/model.safetensors
        captioner score --features clip.safetensors --captions val.json --model run/model.safetensors
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Image file, or - for standard input.") var image: String?
  @Argument(help: "Captions.") var captions: [String] = []
  @OptionGroup var features: FeatureOption
  @Option(
    name: .customLong("captions"),
    help: ArgumentHelp(
      "Captions of images in --features, in any format evaluate takes: all are scored; may be repeated.",
      valueName: "file"))
  var captionFiles: [String] = []
  @Option(
    help: ArgumentHelp("Split of a caption file that has some (default: val).", valueName: "name"))
  var split: String?
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var model: ModelOption
  @Option(help: "text or json (one object).") var format = Format.text
  @Option(help: ArgumentHelp("Other words to show at each place, with theirs.", valueName: "n"))
  var runnerUps = 0
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if captionFiles.isEmpty {
      if image == nil { throw ValidationError("Missing expected argument '<image>'") }
      if captions.isEmpty { throw ValidationError("Missing expected argument '<captions> ...'") }
      if split != nil { throw ValidationError("--split: only with --captions, whose split it is") }
    } else {
      if features.files.isEmpty { throw ValidationError("--captions: only with --features") }
      if let image { throw ValidationError("--captions: expected no image beside it, found \(image)") }
    }
    guard (0...100).contains(runnerUps) else {
      throw ValidationError("--runner-ups: expected 0 to 100, found \(runnerUps)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      if !features.files.isEmpty { return try scoreFeatures(in: features.files) }
      guard let image else { return }
      let captioner = try CaptionModel(
        contentsOf: model.resolved(), caching: .streamed, arithmetic: encoding.arithmetic)
      var reader = photos.reader
      reader.takesStandardInput = true
      let batch = ImageLoader(captioner.description.preprocessing, reader: reader).load([image], 0..<1)
      if let failure = batch.failures.first { throw failure.error }
      try score(image, captioner) { try captioner.maps(batch.images) }
    }
  }

  /// Scores the captions that were typed.
  /// - Parameter maps: of the image [1, mapSize].
  private func score(_ image: String, _ captioner: CaptionModel, maps: () throws -> Tensor) throws {
    let given = captions.map { Self.given($0, captioner.description.vocabulary) }
    let maps = try maps()
    let scored = given.map { captioner.score($0.words, maps, runnersUp: runnerUps) }
    try captioner.checkUnchanged()
    var writer = CaptionWriter(format: format == .json ? .json : .text)
    writer.namesImages = false
    if format == .json { return try writer.write(image: image, captions: scored) }
    for caption in scored {
      try writer.write(image: image, captions: [caption])
      try Console.print("  \(Console.logProb(caption.normalizedLogProb)) per word")
      if let confidence = caption.confidence {
        try Console.print("  \(Console.share(confidence)) confidence")
      }
      for word in caption.words { try Console.print(Self.line(word)) }
    }
  }

  /// Scores captions of images whose features are given.
  private func scoreFeatures(in paths: [String]) throws {
    let captioner = try CaptionModel(ofFeaturesAt: model.resolved())
    let files = try FeatureFiles(paths: paths)
    try captioner.description.check(files)
    guard let image else { return try scoreFiles(captioner, files) }
    let selected = try SelectedFeatures([NamedImage(called: image)], in: files)
    try score(image, captioner) {
      let maps = selected.read([0])
      if let error = selected.error { throw error }
      return maps
    }
  }

  /// Scores all captions of the caption files, image after image.
  private func scoreFiles(_ captioner: CaptionModel, _ files: FeatureFiles) throws {
    let dataset = try CaptionDataset(
      paths: captionFiles, images: [""], split: CaptionSplit(split ?? "", unlessNamed: "val"))
    for warning in dataset.warnings { Console.complain(warning) }
    let images = dataset.images.filter { !$0.captions.isEmpty }
    guard !images.isEmpty else {
      throw Failure(description: "\(captionFiles.joined(separator: ", ")): expected captions, found none")
    }
    let vocabulary = captioner.description.vocabulary
    let selected = try SelectedFeatures(images.map { NamedImage($0) }, in: files)
    var writer = CaptionWriter(format: format == .json ? .json : .text)
    for start in stride(from: 0, to: images.count, by: Self.together) {
      let range = start..<min(images.count, start + Self.together)
      let encoded = range.map { place in
        images[place].captions.map { vocabulary.encode(vocabulary.tokenizer.tokens($0)) }
      }
      var scored = captioner.scores(
        of: encoded.flatMap(\.self),
        rows: encoded.enumerated().flatMap { row, captions in captions.map { _ in row } },
        maps: selected.read(Array(range)), runnersUp: runnerUps)[...]
      try captioner.checkUnchanged()
      if let error = selected.error { throw error }
      for (place, captions) in zip(range, encoded) {
        try writer.write(image: images[place].fileName, captions: Array(scored.prefix(captions.count)))
        scored = scored.dropFirst(captions.count)
      }
    }
  }

  /// Images whose captions are scored together.
  private static let together = 100

  /// A caption in the model's words; those that it does not know are told of.
  private static func given(_ caption: String, _ vocabulary: Vocabulary) -> GivenCaption {
    let given = GivenCaption(caption, vocabulary)
    if given.words.isEmpty {
      Console.complain("\(caption.debugDescription) has no word: scored as a caption that ends at once")
    }
    if !given.unknown.isEmpty {
      Console.complain("not in the vocabulary, scored as <unk>: \(given.unknown.joined(separator: ", "))")
    }
    return given
  }

  /// A word, its rank, and what else was expected in its place.
  private static func line(_ word: Caption.ScoredWord) -> String {
    let others = word.runnersUp.map { "\($0.word) \(Console.logProb($0.logProb))" }.joined(separator: ", ")
    let line =
      "  \(Console.logProb(word.logProb))  \(word.word)"
      + (word.rank.map { $0 > 1 ? "  (rank \($0))" : "" } ?? "") + (others.isEmpty ? "" : "  | \(others)")
    return line.printable()
  }
}
