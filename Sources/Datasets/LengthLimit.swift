/// What becomes of captions that are longer than a run wants.
public struct LengthLimit: Sendable, Equatable {
  /// The two ways.
  public enum Rule: String, Sendable, Codable, CaseIterable {
    /// The first words are kept, and end as if they were the whole caption (as neuraltalk2 does).
    case clip
    /// The caption is left out.
    case drop
  }

  /// The most words that stay.
  public let maximum: Int
  /// What becomes of longer captions.
  public let rule: Rule

  /// A limit of `maximum` words, at least 1.
  public init(maximum: Int, rule: Rule) {
    precondition(maximum > 0, "captions of \(maximum) words")
    self.maximum = maximum
    self.rule = rule
  }

  /// The caption as it is to be learned; nil when it is to be left out.
  public func callAsFunction<Words: Collection>(_ caption: Words) -> Words.SubSequence? {
    if rule == .drop && caption.count > maximum { return nil }
    return caption.prefix(maximum)
  }
}
