/// What a metric compares: a caption of an image and the captions people wrote for it, as tokens.
///
/// A token may hold no-break spaces (U+00A0), as those of `22 3/4` do in coco-caption: BLEU and CIDEr take it apart,
/// ROUGE-L does not.
public struct Sample: Sendable {
  /// The caption to judge; may be empty.
  public let candidate: [String]
  /// The captions it is held against.
  public let references: [[String]]

  /// A caption and its references.
  public init(candidate: [String], references: [[String]]) {
    self.candidate = candidate
    self.references = references
  }

  /// `tokens` taken apart at no-break spaces.
  public static func words(of tokens: [String]) -> [String] {
    guard tokens.contains(where: { $0.utf8.contains(0xA0) }) else { return tokens }
    return tokens.flatMap { $0.split(separator: "\u{A0}").map(String.init) }
  }
}
