import ArgumentParser
import Language
import Models

/// `--minimum-confidence`: captions that the model is less sure of are left out.
struct ConfidenceOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Leaves out captions whose confidence is lower, 0 to 1; text has them, marked.", valueName: "p"))
  var minimumConfidence: Double?

  func validate() throws {
    if let minimumConfidence, !(0...1).contains(minimumConfidence) {
      throw ValidationError("--minimum-confidence: expected 0 to 1, found \(minimumConfidence)")
    }
  }

  /// Makes sure that the model can tell, where it must.
  /// - Throws: `UsageError`.
  func check(_ model: CaptionModel) throws {
    guard minimumConfidence != nil, model.description.confidence == nil else { return }
    throw UsageError(
      description: "--minimum-confidence: \(model.path) has no confidence; "
        + "captioner evaluate --calibrate FILE writes a model that has one")
  }

  /// Whether a caption is as sure as was asked for.
  func isSure(_ caption: Caption) -> Bool { (caption.confidence ?? 1) >= minimumConfidence ?? 0 }
}
