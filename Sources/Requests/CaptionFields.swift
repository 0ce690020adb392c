package import Decoding
internal import Kernels
package import Language
internal import Support

/// How captions are to be found: the options of `captioner caption` under the same names, within the same bounds.
package struct CaptionFields: Sendable, Equatable {
  /// How each photo's captions are found.
  package let strategy: DecodingStrategy
  /// Whether the answer says where the model looks.
  package let explains: Bool

  /// The fields.
  package static let names: Set<String> = [
    "beam_width", "captions", "max_length", "min_length", "length_normalization", "length_penalty",
    "mutual_information", "sample", "temperature", "top_k", "top_p", "seed", "prefix", "force", "forbid",
    "no_repeat_ngram", "explain",
  ]
  package static let beamWidths = 1...64
  package static let drawn = 1...100
  package static let maximumLengths = 1...1000
  package static let temperatures = 0.001...1000
  package static let lengthPenalties: ClosedRange<Double> = 0...10
  package static let mutualInformations: ClosedRange<Double> = 0...1
  package static let noRepeatNgrams = 0...1000
  /// Words of `force`, and of `forbid`, at most; and bytes of each.
  package static let (maximumWords, maximumWordBytes) = (32, 400)

  /// What a request says, or the usual.
  /// - Throws: `Problem` naming the field that makes no sense.
  package init(_ fields: Fields, _ vocabulary: Vocabulary) throws(Problem) {
    let samples = try fields.flag("sample") ?? false
    for name in ["temperature", "top_k", "top_p", "seed"] where fields.has(name) && !samples {
      throw .bad("\(name): only with sample")
    }
    for name in ["beam_width", "length_normalization", "mutual_information", "force"]
    where fields.has(name) && samples {
      throw .bad("\(name): only without sample")
    }
    let beamWidth = try fields.integer("beam_width", Self.beamWidths) ?? 3
    let captions = try fields.integer("captions", samples ? Self.drawn : 1...beamWidth) ?? 1
    let maximum = try fields.integer("max_length", Self.maximumLengths) ?? 20
    let minimum = try fields.integer("min_length", 0...maximum) ?? min(1, maximum)
    let constraints = try Self.constraints(fields, minimum...maximum, vocabulary)
    explains = try fields.flag("explain") ?? false
    if samples {
      strategy = .sample(
        SamplingOptions(
          captions: captions, try Self.choice(fields),
          seed: UInt64(try fields.integer("seed", 0...Int.max) ?? 0),
          maximumLength: maximum, minimumLength: minimum, constraints: constraints))
    } else {
      strategy = .beam(
        BeamOptions(
          beamWidth: beamWidth, captions: captions, maximumLength: maximum, minimumLength: minimum,
          lengthNormalization: try Self.normalization(fields),
          mutualInformation: try fields.number("mutual_information", Self.mutualInformations) ?? 0,
          constraints: constraints))
    }
  }

  private static func choice(_ fields: Fields) throws(Problem) -> ClassSampling {
    let topP = try fields.number("top_p", 0...1) ?? 1
    guard topP > 0 else { throw .bad("top_p: expected more than 0, at most 1, found 0") }
    return ClassSampling(
      temperature: try fields.number("temperature", temperatures) ?? 1,
      topK: try fields.integer("top_k", 1...Int.max), topP: topP)
  }

  private static func normalization(_ fields: Fields) throws(Problem) -> LengthNormalization {
    let kind = try fields.text("length_normalization") ?? "none"
    guard kind == "wu" || !fields.has("length_penalty") else {
      throw .bad("length_penalty: only with length_normalization wu")
    }
    switch kind {
    case "none": return .none
    case "average": return .average
    case "wu": return .wu(alpha: try fields.number("length_penalty", lengthPenalties) ?? 0.6)
    default:
      throw .bad("length_normalization: expected none, average or wu, found \"\(kind.shortened(to: 60))\"")
    }
  }

  private static func constraints(
    _ fields: Fields, _ lengths: ClosedRange<Int>, _ vocabulary: Vocabulary
  ) throws(Problem) -> Constraints {
    let prefix = try fields.text("prefix") ?? ""
    let (forced, forbidden) = (try fields.texts("force"), try fields.texts("forbid"))
    for (name, words) in [("prefix", [prefix]), ("force", forced), ("forbid", forbidden)] {
      guard words.count <= maximumWords, words.allSatisfy({ $0.utf8.count <= maximumWordBytes }) else {
        throw .bad(
          "\(name): expected at most \(maximumWords) of at most \(maximumWordBytes) bytes each, found more")
      }
    }
    let ngram = try fields.integer("no_repeat_ngram", noRepeatNgrams) ?? 0
    do {
      return try Constraints(
        prefix: prefix, forced: forced, forbidden: forbidden, noRepeatNGram: ngram, lengths: lengths,
        vocabulary: vocabulary)
    } catch {
      let name =
        switch error {
        case .unknownWord(_, .prefix), .forbidden(_, .prefix), .repeated: "prefix"
        case .unknownWord(_, .forced), .forbidden: "force"
        case .unknownWord(_, .forbidden): "forbid"
        case .tooLong: "max_length"
        case .tooFewWords: "min_length"
        }
      throw Problem(.unprocessableContent, "\(name): \(error)")
    }
  }
}
