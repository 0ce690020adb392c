/// CIDEr-D (Vedantam, Zitnick & Parikh 2015) with σ = 6 and n = 1…4, number for number as pycocoevalcap computes it:
/// how near a caption is to the references, words weighted by how rare they are among all references. 0…10.
public struct CIDEr: TextMetric {
  /// `CIDEr`.
  public static let names: [ScoreName] = [.cider]
  /// The score: that of several images is the mean.
  public static let width = 1

  private let frequencies: DocumentFrequencies

  /// Document frequencies are those of the samples' references, an image a document. Of one image alone every word is
  /// in every document, so that all scores are 0.
  public init(_ samples: CountedSamples) { frequencies = DocumentFrequencies(samples) }

  /// The image's score; 0 without references.
  public func statistics(of sample: CountedSample) -> [Double] {
    [
      frequencies.score(
        frequencies.vector(sample.candidateNGrams), sample.referenceNGrams.map(frequencies.vector))
    ]
  }

  /// The mean; 0 of no images.
  public static func scores(_ sums: [Double], images: Int) -> [Double] {
    [images == 0 ? 0 : sums[0] / Double(images)]
  }
}

extension ScoreName {
  /// CIDEr-D, 0…10.
  public static let cider = ScoreName("CIDEr", title: "CIDEr")
}
