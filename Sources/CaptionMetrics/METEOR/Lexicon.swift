/// What METEOR knows of the words of some texts, by their numbers.
struct Lexicon {
  /// Java's hash of each word, by which METEOR compares words.
  let keys: [Int32]
  /// That of its stem.
  let stems: [Int32]
  /// Whether it is a word of which METEOR takes less account.
  let isFunctionWord: [Bool]
  let synonyms: Synonyms
  let paraphrases: Paraphrases

  /// Looks up all `words`.
  /// - Parameter texts: the texts that consist of them, for their phrases.
  /// - Throws: `METEORDataError`.
  init(
    _ words: WordIndex, texts: some Sequence<[Int32]>, _ data: METEORData
  ) throws(METEORDataError) {
    let names = (0..<words.count).map { words[Int32($0)] }
    keys = names.map(Self.hash)
    stems = names.map { Self.hash(EnglishStemmer.stem(of: $0)) }
    let functionWords = Set(data.functionWords.lines.map(Array.init))
    isFunctionWord = names.map { functionWords.contains(Array($0.utf8)) }
    synonyms = try Synonyms(of: names, synsets: data.synsets, exceptions: data.exceptions)
    paraphrases = try Paraphrases(path: data.paraphrases, words: words, texts: texts)
  }

  func keys(_ words: [Int32]) -> [Int32] { words.map { keys[Int($0)] } }
  func stems(_ words: [Int32]) -> [Int32] { words.map { stems[Int($0)] } }

  /// `String.hashCode` of Java: different words that share one are the same to METEOR.
  static func hash(_ word: String) -> Int32 { word.utf16.reduce(0) { $0 &* 31 &+ Int32($1) } }
}
