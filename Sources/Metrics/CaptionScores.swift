/// Captions held against references by every metric that needs both, the words looked at only once.
public struct CaptionScores: Sendable, Equatable {
  /// BLEU-1 to BLEU-4.
  public let bleu: BLEU
  /// ROUGE-L.
  public let rougeL: ROUGEL
  /// CIDEr-D, document frequencies those of the references of all samples.
  public let cider: CIDEr

  /// The scores' names, pycocoevalcap's, in the order of `corpus`.
  public static let names = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"]

  /// Scores `samples`.
  public init(_ samples: some Sequence<Sample>) {
    let (tokens, words) = NumberedSample.numbered(samples)
    var references: [[NGramCounts]] = []
    let frequencies = CIDEr.DocumentFrequencies(words.map(\.references)) { references.append($0) }
    var matches: [BLEU.Matches] = []
    var similarities: [Double] = []
    for (sample, references) in zip(words, references) {
      let candidate = frequencies.numbers.counts(sample.candidate)
      matches.append(BLEU.Matches(candidate, references))
      similarities.append(
        frequencies.score(frequencies.vector(candidate), references.map(frequencies.vector)))
    }
    bleu = BLEU(matches)
    cider = CIDEr(similarities)
    rougeL = ROUGEL(tokens)
  }

  /// The scores of all samples together, in the order of `names`.
  public var corpus: [Double] { bleu.corpus + [rougeL.corpus, cider.corpus] }

  /// The scores of the sample at `index`, in the order of `names`.
  public func sample(_ index: Int) -> [Double] {
    bleu.perSample[index] + [rougeL.perSample[index], cider.perSample[index]]
  }

  /// Intervals of `corpus`; none if there are no samples. Document frequencies stay those of all samples.
  public func intervals(_ bootstrap: Bootstrap) -> [Bootstrap.Interval] {
    let count = Double(rougeL.perSample.count)
    var statistics: [Double] = []
    statistics.reserveCapacity(12 * bleu.matches.count)
    for (index, matches) in bleu.matches.enumerated() {
      statistics.append(matches.length)
      statistics.append(matches.referenceLength)
      for order in 0..<4 { statistics.append(matches.guessed[order]) }
      for order in 0..<4 { statistics.append(matches.correct[order]) }
      statistics.append(rougeL.perSample[index])
      statistics.append(cider.perSample[index])
    }
    return bootstrap.intervals(statistics, width: 12) { sums in
      var matches = BLEU.Matches()
      (matches.length, matches.referenceLength) = (sums[0], sums[1])
      matches.guessed = SIMD4(sums[2], sums[3], sums[4], sums[5])
      matches.correct = SIMD4(sums[6], sums[7], sums[8], sums[9])
      return matches.score + [sums[10] / count, sums[11] / count]
    }
  }
}
