import ArgumentParser
import Captioning

/// How captions are searched for.
struct SearchFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Captions followed at a time; 1 is greedy.", valueName: "n")) var beamWidth = 3
  @Option(help: ArgumentHelp("Words in a caption, at most.", valueName: "n")) var maxLength = 20

  func validate() throws {
    guard (1...64).contains(beamWidth) else {
      throw ValidationError("--beam-width: expected 1 to 64, found \(beamWidth)")
    }
    guard (1...1000).contains(maxLength) else {
      throw ValidationError("--max-length: expected 1 to 1000, found \(maxLength)")
    }
  }

  /// Options for the `captions` best of each image.
  func options(captions: Int = 1) -> BeamSearch.Options {
    BeamSearch.Options(beamWidth: beamWidth, captions: captions, maximumLength: maxLength)
  }
}
