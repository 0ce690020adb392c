import ArgumentParser
import Evaluation
import Foundation
import Language
import CaptionMetrics
import Support

/// `captioner metrics`: scores captions that some program made.
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Scores a file of captions against references.",
    usage: "captioner metrics [<options>] --references <file> --results <file>",
    discussion: """
      References are captions in any format that train reads. Results are COCO's
      results JSON, the JSON lines or CSV that captioner caption prints, or any
      caption file, its images known by id or by file name. Two files of text
      are compared line by line.

      Prints BLEU-1 to BLEU-4, ROUGE-L and CIDEr, as pycocoevalcap with its
      tokenizer, with 95 % bootstrap intervals over images, and METEOR, its key too,
      where --meteor says where the data of METEOR 1.5 lies; the shares of
      distinct captions, words (distinct-1) and pairs of words (distinct-2);
      lengths; the share of captions that are not among --training-captions;
      and perplexity per word if the results tell the log-probs of all
      references, as those of captioner evaluate do.

      Tables show scores and shares in percent, CIDEr too; JSON has them as
      pycocoevalcap gives them, 0 to 1 (CIDEr: to 10). Only images with a result
      count, for CIDEr's document frequencies too. Results for unknown images and
      two for one image are refused. Words are the same if their bytes are, as in
      pycocoevalcap (’ is not ', é in two characters not é in one). Scripts without
      spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer) are compared character
      by character, where pycocoevalcap takes a whole text for one word; so much is
      said when it happens, and --tokenizer coco does as it does.

      Examples:
        captioner metrics --references captions_val.json --results results.json
        captioner metrics --references val.json --results results.json --format json
        captioner metrics --references captions.txt --results captions.jsonl
        captioner metrics --references captions_val.json --results results.json \\
          --training-captions captions_train.json --per-image scores.json
        captioner metrics --references captions_val.json --results results.json \\
          --meteor site-packages/pycocoevalcap/meteor
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
  enum WordRule: String, ExpressibleByArgument, CaseIterable { case captioner, coco }

  @Option(help: ArgumentHelp("Captions that people wrote, in any format.", valueName: "file"))
  var references: String
  @Option(help: ArgumentHelp("Captions to score, one an image.", valueName: "file")) var results: String
  @Option(help: ArgumentHelp("Captions that the model learned from, in any format.", valueName: "file"))
  var trainingCaptions: String?
  @OptionGroup var meteor: METEOROption
  @Option(help: ArgumentHelp("Where to write each image's scores, a line of JSON each.", valueName: "file"))
  var perImage: String?
  @Option(help: ArgumentHelp("How often images are drawn for the intervals; 0 for none.", valueName: "n"))
  var resamples = 1000
  @Option(help: ArgumentHelp("The same seed draws the same images (default: 1).", valueName: "n")) var seed:
    UInt64?
  @Option(
    help:
      "captioner, or coco: pycocoevalcap's own words for scripts without spaces too, a whole text for one.")
  var tokenizer = WordRule.captioner
  @Option(help: "text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (0...100_000).contains(resamples) else {
      throw ValidationError("--resamples: expected 0 to 100000, found \(resamples)")
    }
    if seed != nil, resamples == 0 {
      throw ValidationError("--seed: only without --resamples 0, which draws nothing")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      var outputs = Outputs(
        readingFrom: [references, results] + [trainingCaptions, meteor.meteor].compactMap(\.self))
      if let perImage { try outputs.add(perImage, "--per-image") }
      let scored = try ResultsScores(
        of: results, references: references, trainingCaptions: trainingCaptions,
        bootstrap: resamples > 0 ? Bootstrap(resamples: resamples, seed: seed ?? 1) : nil,
        tokenizer: Tokenizer(splitsUnspacedScripts: tokenizer == .captioner), meteor: try meteor.data(),
        threads: engine.threads ?? ProcessInfo.processInfo.activeProcessorCount)
      for warning in scored.warnings { Console.complain(warning) }
      // A reader that has gone costs no file.
      let printed = Result {
        try withoutBrokenPipes {
          try Console.print(format == .json ? Console.json(scored.scores) : scored.scores.resultsText)
        }
      }
      if let perImage { try scored.writeRows(to: perImage) }
      try printed.get()
    }
  }
}
