/// CIDEr-D (Vedantam, Zitnick & Parikh 2015) with σ = 6 and n = 1…4, number for number as pycocoevalcap computes it:
/// how near a caption is to the references, words weighted by how rare they are among all references. 0…10.
public struct CIDEr: Sendable, Equatable {
  /// The mean over all samples; 0 if there are none.
  public let corpus: Double
  /// The score of each sample, [N].
  public let perSample: [Double]

  /// Scores `samples`; document frequencies are those of their references, an image a document. Of one image alone
  /// every word is in every document, so that all scores are 0. A sample without references scores 0.
  public init(_ samples: some Sequence<Sample>) {
    let samples = NumberedSample.numbered(samples).words
    var references: [[NGramCounts]] = []
    let frequencies = DocumentFrequencies(samples.map(\.references)) { references.append($0) }
    self.init(
      zip(samples, references).map { sample, references in
        frequencies.score(
          frequencies.vector(frequencies.numbers.counts(sample.candidate)),
          references.map(frequencies.vector))
      })
  }

  init(_ perSample: [Double]) {
    self.perSample = perSample
    corpus = perSample.mean
  }
}

extension [Double] {
  /// 0 if there are none.
  var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}
