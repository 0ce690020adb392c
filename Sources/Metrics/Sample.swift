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

/// The share of different captions among `captions`, 0…1; 0 if there are none.
///
/// A model that says the same of every photo has a share near 0.
public func distinctShare(_ captions: some Collection<[String]>) -> Double {
  captions.isEmpty ? 0 : Double(Set(captions).count) / Double(captions.count)
}
