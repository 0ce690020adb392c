import ArgumentParser
import CaptionMetrics

/// Where METEOR's data lies, which is not part of captioner.
struct METEOROption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "METEOR 1.5's own data: meteor-1.5.jar with data/paraphrase-en.gz beside it, or pycocoevalcap's folder meteor. Java is not needed.",
      valueName: "path"))
  var meteor: String?

  /// The data, if it is given.
  /// - Throws: `METEORDataError`.
  func data() throws -> METEORData? { try meteor.map { (path) throws in try METEORData(path: path) } }
}
