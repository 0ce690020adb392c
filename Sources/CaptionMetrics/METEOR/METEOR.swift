/// METEOR 1.5 (Denkowski and Lavie 2014) for English, as pycocoevalcap calls it (`-l en -norm`): words aligned with those of
/// a reference as they are, by stem, by synonym and by paraphrase; precision and recall of the alignment, less for every
/// piece that it is in; the best of the references. 0…1.
///
/// It is computed here, with the reference implementation's data and by its rules, its surprising ones too: scores are equal
/// to its own but for rounding.
public struct METEOR: CaptionMetric {
  /// `METEOR`.
  public static let names: [ScoreName] = [.meteor]
  /// Aligned words and all words, weighted, of candidate and reference; chunks; aligned words.
  public static let width = 6
  /// The most words of a caption: ways to align words are as many as their squares.
  public static let longest = 1000

  /// What is summed of each sample.
  private let values: [[Double]]
  /// What was counted of each: of the best reference.
  let counts: [METEORCounts]

  /// Aligns all captions.
  /// - Throws: `METEORDataError` when the data can't be read, or for captions too long to be aligned.
  public init(_ samples: [Sample], _ data: METEORData) throws(METEORDataError) {
    let tokenizer = METEORTokenizer(prefixes: NonbreakingPrefixes(lines: data.prefixes.lines))
    var words = WordIndex()
    var texts: [(candidate: [Int32], references: [[Int32]])] = []
    texts.reserveCapacity(samples.count)
    for sample in samples {
      let (candidate, references) = Self.texts(of: sample)
      var numbered: [[Int32]] = []
      for text in [candidate] + references {
        let found = tokenizer.words(of: text)
        guard found.count <= Self.longest else {
          throw .tooLong(caption: text, words: found.count, limit: Self.longest)
        }
        numbered.append(found.map { words.add($0) })
      }
      texts.append((numbered[0], Array(numbered[1...])))
    }
    let lexicon = try Lexicon(words, texts: texts.lazy.flatMap { [$0.candidate] + $0.references }, data)
    var places = [Int32](repeating: -1, count: lexicon.paraphrases.count)
    var counts: [METEORCounts] = []
    counts.reserveCapacity(samples.count)
    for (candidate, references) in texts {
      guard let best = Self.best(candidate, references, lexicon, phrasePlaces: &places) else {
        let text = candidate.map { words[$0] }.joined(separator: " ")
        throw .tooManyMatches(caption: text, limit: WordMatches.limit)
      }
      counts.append(best)
    }
    self.counts = counts
    values = counts.map(\.summed)
  }

  /// Of the first reference with which the candidate scores best; nil if there are too many ways to match their words.
  private static func best(
    _ candidate: [Int32], _ references: [[Int32]], _ lexicon: Lexicon, phrasePlaces: inout [Int32]
  ) -> METEORCounts? {
    func text(_ words: [Int32]) -> WordMatches.Text {
      WordMatches.Text(words: words, phrases: lexicon.paraphrases.occurrences(in: words))
    }
    let candidate = text(candidate)
    var best: (counts: METEORCounts, score: Double)?
    for reference in references.lazy.map(text) {
      guard let matches = WordMatches(candidate, reference, lexicon, phrasePlaces: &phrasePlaces) else {
        return nil
      }
      let aligned = AlignmentSearch.best(matches, candidateLength: candidate.words.count)
      let counts = METEORCounts(candidate.words, reference.words, aligned: aligned, lexicon)
      let score = METEORCounts.score(counts.summed)
      if best.map({ score > $0.score }) ?? true { best = (counts, score) }
    }
    return best?.counts
  }

  /// The texts as pycocoevalcap hands them on: its bars between texts are none within.
  private static func texts(of sample: Sample) -> (candidate: String, references: [String]) {
    func parts(_ tokens: [String]) -> [String] {
      let text = tokens.joined(separator: " ")
      guard text.utf8.contains(UInt8(ascii: "|")) else { return [text] }
      return text.split(separator: "|||", omittingEmptySubsequences: false).map(String.init)
    }
    let references = sample.references.isEmpty ? [""] : sample.references.flatMap(parts)
    return (parts(sample.candidate).joined(), references)
  }

  /// Those of the sample at the same place among the samples that were aligned.
  public func statistics(of sample: CountedSample) -> [Double] { values[sample.place] }

  /// The score; 0 of no images.
  public static func scores(_ sums: [Double], images: Int) -> [Double] { [METEORCounts.score(sums)] }
}

extension ScoreName {
  /// METEOR, 0…1.
  public static let meteor = ScoreName("METEOR", title: "METEOR")
}
