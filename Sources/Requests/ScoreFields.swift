package import Language

/// Captions whose log-probs are asked for, and how many other words are to be told.
package struct ScoreFields: Sendable, Equatable {
  /// Each caption's words, as ids without start and end.
  package let words: [[Int32]]
  /// Other words to tell at each place.
  package let runnersUp: Int

  /// Captions, bytes of each, and other words at a place, at most.
  package static let (captions, captionBytes, runnersUp) = (100, 10_000, 0...100)

  /// What a request says.
  /// - Throws: `Problem` naming the field that makes no sense.
  package init(_ fields: Fields, _ vocabulary: Vocabulary) throws(Problem) {
    try fields.check(["captions", "runner_ups"])
    let captions = try fields.texts("captions")
    guard (1...Self.captions).contains(captions.count) else {
      throw .bad("captions: expected 1 to \(Self.captions) captions, found \(captions.count)")
    }
    var words: [[Int32]] = []
    for (place, caption) in captions.enumerated() {
      guard caption.utf8.count <= Self.captionBytes else {
        throw .bad(
          "captions[\(place)]: expected at most \(Self.captionBytes) bytes, found \(caption.utf8.count)")
      }
      words.append(vocabulary.encode(GivenCaption(caption, vocabulary).words))
    }
    self.words = words
    runnersUp = try fields.integer("runner_ups", Self.runnersUp) ?? 0
  }
}
