import ArgumentParser
import Models
import Decoding
import Evaluation
import Kernels
import Language

/// How captions are found: by beam search, or drawn at random.
struct SearchFlags: ParsableArguments {
  /// `LengthNormalization` by name.
  enum Normalization: String, ExpressibleByArgument, CaseIterable { case none, average, wu }

  @Option(
    name: .customLong("beam-width"),
    help: ArgumentHelp("Captions followed at a time; 1 is greedy (default: 3).", valueName: "n"))
  var givenBeamWidth: Int?
  @Option(help: ArgumentHelp("Words in a caption, at most.", valueName: "n")) var maxLength = 20
  @Option(help: ArgumentHelp("Words in a caption, at least.", valueName: "n")) var minLength = 1
  @Option(
    help: ArgumentHelp(
      "What captions are ranked by: none, the log-prob, which prefers short ones; average, its mean a word; or wu, "
        + "log-prob / ((5 + words) / 6)^A (default: none).", valueName: "kind"))
  var lengthNormalization: Normalization?
  @Option(help: ArgumentHelp("wu's A: 0 is none, 1 close to average (default: 0.6).", valueName: "A"))
  var lengthPenalty: Double?
  @Option(
    help: ArgumentHelp(
      "Rank the captions that the search finds by what the photo adds: log-prob less L times the log-prob without any "
        + "photo, 0 to 1. Prefers what would not be said of every photo.", valueName: "L"))
  var mutualInformation: Double?
  @OptionGroup(title: "What captions say") var wording: ConstraintFlags
  @OptionGroup(title: "Sampling") var drawing: SamplingFlags

  func validate() throws {
    guard (1...64).contains(beamWidth) else {
      throw ValidationError("--beam-width: expected 1 to 64, found \(beamWidth)")
    }
    guard (1...1000).contains(maxLength) else {
      throw ValidationError("--max-length: expected 1 to 1000, found \(maxLength)")
    }
    guard (0...maxLength).contains(minLength) else {
      throw ValidationError("--min-length: expected 0 to the --max-length \(maxLength), found \(minLength)")
    }
    if let lengthPenalty {
      guard lengthNormalization == .wu else {
        throw ValidationError("--length-penalty: only with --length-normalization wu")
      }
      guard (0...10).contains(lengthPenalty) else {
        throw ValidationError("--length-penalty: expected 0 to 10, found \(lengthPenalty)")
      }
    }
    if let mutualInformation, !(0...1).contains(mutualInformation) {
      throw ValidationError("--mutual-information: expected 0 to 1, found \(mutualInformation)")
    }
    if drawing.sample {
      if mutualInformation != nil {
        throw ValidationError("--mutual-information: only without --sample, whose captions are not ranked")
      }
      if givenBeamWidth != nil {
        throw ValidationError("--beam-width: only without --sample, which does not search")
      }
      if lengthNormalization != nil {
        throw ValidationError("--length-normalization: only without --sample, whose captions are not ranked")
      }
      if !wording.force.isEmpty {
        throw ValidationError("--force: only without --sample, which does not look ahead")
      }
    }
  }

  /// Captions followed at a time.
  var beamWidth: Int { givenBeamWidth ?? 3 }

  /// Refuses a number of captions that can't be had: a search gives at most the beam width.
  /// - Parameter option: the option that asks for them.
  func check(captions: Int, option: String) throws {
    if drawing.sample {
      guard (1...100).contains(captions) else {
        throw ValidationError("\(option): expected 1 to 100 with --sample, found \(captions)")
      }
    } else if !(1...beamWidth).contains(captions) {
      throw ValidationError("\(option): expected 1 to the beam width \(beamWidth), found \(captions)")
    }
  }

  /// What people are told of how captions were found.
  var description: String { drawing.sample ? "captions drawn at random" : "beam width \(beamWidth)" }

  /// How `captions` of each image are found.
  /// - Throws: `ValidationError` naming a word that the vocabulary lacks.
  func strategy(captions: Int, vocabulary: Vocabulary) throws -> DecodingStrategy {
    drawing.sample
      ? .sample(try sampling(captions: captions, vocabulary: vocabulary))
      : .beam(try options(captions: captions, vocabulary: vocabulary))
  }

  /// Options of a search for the `captions` best of each image.
  /// - Throws: `ValidationError` naming a word that the vocabulary lacks.
  func options(captions: Int = 1, vocabulary: Vocabulary) throws -> BeamOptions {
    let normalization: LengthNormalization =
      switch lengthNormalization ?? Normalization.none {
      case .none: .none
      case .average: .average
      case .wu: .wu(alpha: lengthPenalty ?? 0.6)
      }
    return BeamOptions(
      beamWidth: beamWidth, captions: captions, maximumLength: maxLength, minimumLength: minLength,
      lengthNormalization: normalization, mutualInformation: mutualInformation ?? 0,
      constraints: try wording.constraints(lengths: minLength...maxLength, vocabulary))
  }

  private func sampling(captions: Int, vocabulary: Vocabulary) throws -> SamplingOptions {
    SamplingOptions(
      captions: captions,
      ClassSampling(temperature: drawing.temperature ?? 1, topK: drawing.topK, topP: drawing.topP ?? 1),
      seed: drawing.seed ?? 0, maximumLength: maxLength, minimumLength: minLength,
      constraints: try wording.constraints(lengths: minLength...maxLength, vocabulary))
  }
}
