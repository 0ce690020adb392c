/// CIDEr-D (Vedantam, Zitnick & Parikh 2015) with σ = 6 and n = 1…4, number for number as pycocoevalcap computes it:
/// how near a caption is to the references, words weighted by how rare they are among all references. 0…10.
public struct CIDEr: Sendable, Equatable {
  /// The mean over all samples; 0 if there are none.
  public let corpus: Double
  /// The score of each sample, [N].
  public let perSample: [Double]

  /// Scores `samples`; document frequencies are those of their references, an image a document. Of one image alone
  /// every word is in every document, so that all scores are 0. A sample without references scores 0.
  public init(_ samples: some Collection<Sample>) {
    var numbers = WordNumbers()
    let candidates = samples.map { numbers.numbers(of: $0.candidate) }
    let references = samples.map { $0.references.map { numbers.numbers(of: $0) } }
    let frequencies = DocumentFrequencies(references)
    perSample = zip(candidates, references).map { frequencies.score($0, frequencies.vectors($1)) }
    corpus = perSample.isEmpty ? 0 : perSample.reduce(0, +) / Double(perSample.count)
  }
}
