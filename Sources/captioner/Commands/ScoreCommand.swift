import ArgumentParser
import Models
import Imaging
import Language
import Support

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

      Examples:
        captioner score photo.jpg "a dog runs through the snow"
        captioner score photo.jpg "a dog runs" --format json | jq .captions[0].log_prob
        captioner score photo.jpg "a dog runs through the snow" --runner-ups 3
        captioner score photo.jpg "a dog runs" "a cat sleeps"
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Image file, or - for standard input.") var image: String
  @Argument(help: "Captions.") var captions: [String]
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var model: ModelOption
  @Option(help: "text or json (one object).") var format = Format.text
  @Option(help: ArgumentHelp("Other words to show at each place, with theirs.", valueName: "n"))
  var runnerUps = 0
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (0...100).contains(runnerUps) else {
      throw ValidationError("--runner-ups: expected 0 to 100, found \(runnerUps)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let captioner = try CaptionModel(
        contentsOf: model.resolved(), caching: .streamed, arithmetic: encoding.arithmetic)
      var reader = photos.reader
      reader.takesStandardInput = true
      let batch = ImageLoader(captioner.description.preprocessing, reader: reader).load([image], 0..<1)
      if let failure = batch.failures.first { throw failure.error }
      let given = captions.map { Self.given($0, captioner.description.vocabulary) }
      let maps = try captioner.maps(batch.images)
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
  }

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
