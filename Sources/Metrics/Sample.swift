/// What a metric compares: a caption of an image and the captions people wrote for it, as tokens.
public struct Sample: Sendable {
  /// The caption to judge; may be empty.
  public let candidate: [String]
  /// The captions it is held against.
  public let references: [[String]]

  /// A caption and its references.
  public init(candidate: [String], references: [[String]]) {
    (self.candidate, self.references) = (candidate, references)
  }
}
