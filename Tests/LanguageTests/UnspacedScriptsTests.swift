import Language
import Testing

/// Scripts that put no spaces between words: a grapheme cluster is a token.
@Suite struct UnspacedScriptsTests {
  @Test(arguments: [
    ("一个男人骑着马。", "一 个 男 人 骑 着 马"),
    ("一个 男人 骑着 马", "一 个 男 人 骑 着 马"),
    ("男の子がボールを投げる。", "男 の 子 が ボ ー ル を 投 げ る"),
    ("ｶﾞ ッ", "ｶﾞ ッ"),
    ("ชายคนหนึ่งขี่ม้า", "ช า ย ค น ห นึ่ ง ขี่ ม้ า"),
    ("ជិះសេះ បុរស។", "ជិះ សេះ បុ រ ស"),
    ("ຜູ້ຊາຍຂີ່ມ້າ", "ຜູ້ ຊ າ ຍ ຂີ່ ມ້ າ"),
    ("မြင်းစီးနေသည်။ သား", "မြ င်း စီး နေ သ ည် သား"),
    ("3個のT-shirt", "3 個 の t-shirt"),
    ("ใส่T-shirtสีแดง", "ใ ส่ t-shirt สี แ ด ง"),
    ("“你好”，他说：“再见！”", "你 好 他 说 再 见"),
    ("𠮷野家 々〇", "𠮷 野 家 々 〇"),
    ("don't走", "do n't 走"),
    ("남자가 말을 탄다", "남자가 말을 탄다"),
  ])
  func clustersAreTokens(text: String, tokens: String) {
    let words = tokens.split(separator: " ").map(String.init)
    #expect(Tokenizer().tokens(text) == words)
    #expect(Tokenizer().wholeTokens(text) == words)
  }

  /// Captions as they are printed are read as the same words again.
  @Test(arguments: ["一个男人骑着马", "မြင်းစီးနေသည်", "3 個の t-shirt a b", "ชายคนหนึ่งขี่ม้า", "ជិះសេះបុរស"])
  func textHasNoSpacesBetweenThem(text: String) {
    let tokenizer = Tokenizer()
    let tokens = tokenizer.tokens(text)
    let joined = tokenizer.text(of: tokens)
    #expect(tokenizer.tokens(joined) == tokens)
    #expect(joined == text.replacing("3 個の t-shirt", with: "3 個の t-shirt"))
  }

  /// Models that learned words with spaces put between them keep them.
  @Test func segmentedVocabulariesStay() {
    let segmented = Vocabulary(counts: ["一个": 2, "男人": 2, "骑": 1, "马": 1], minimumCount: 1)
    #expect(segmented.tokenizer.tokens("一个 男人 骑 马") == ["一个", "男人", "骑", "马"])
    #expect(GivenCaption("一个 男人 骑 马", segmented).unknown == [])
    let spoken = Caption(words: ["骑", "马", "</s>"].map { .init(word: $0, logProb: -1) }, segmented.tokenizer)
    #expect(spoken.text == "骑 马")
    let clusters = Vocabulary(counts: ["骑": 1, "马": 1, "a": 1], minimumCount: 1)
    let joined = Caption(
      words: ["a", "骑", "马", "</s>"].map { .init(word: $0, logProb: -1) }, clusters.tokenizer)
    #expect(joined.text == "a 骑马")
    #expect(GivenCaption("a 骑马", clusters).words == ["a", "骑", "马"])
  }

  /// Both spellings of a letter are one word, spelled with one character.
  @Test func wordsAreComposed() {
    let captions = ["un cafe\u{301}", "un caf\u{E9}", "か\u{3099}"].map { Tokenizer().tokens($0) }
    #expect(captions.map { $0.map { $0.unicodeScalars.count } } == [[2, 4], [2, 4], [1]])
    #expect(Vocabulary(counts: Vocabulary.counts(of: captions), minimumCount: 1).count == 7)
    #expect(Tokenizer().wholeTokens("cafe\u{301}")[0].unicodeScalars.count == 5)
  }
}
