import Language
import Testing

@Suite struct GivenCaptionTests {
  private let vocabulary = Vocabulary(
    counts: ["a": 9, "dog": 9, "runs": 9, "-lrb-": 9], minimumCount: 1)

  @Test func proseIsTokenized() {
    let caption = GivenCaption("A dog runs, a zebra  sits.", vocabulary)
    #expect(caption.words == ["a", "dog", "runs", "a", "zebra", "sits"])
    #expect(caption.unknown == ["zebra", "sits"])
  }

  /// What a model printed stays what it is.
  @Test func wordsOfTheVocabularyAreTakenAsTheyAre() {
    let caption = GivenCaption("a -lrb- dog", vocabulary)
    #expect(caption.words == ["a", "-lrb-", "dog"] && caption.unknown == [])
    #expect(Tokenizer().tokens("a -lrb- dog") != caption.words)
  }

  @Test func nothingIsNoWords() {
    #expect(GivenCaption("", vocabulary) == GivenCaption(" ... ", vocabulary))
    #expect(GivenCaption("...", vocabulary).words.isEmpty)
  }
}
