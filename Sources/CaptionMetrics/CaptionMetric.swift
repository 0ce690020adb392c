/// A way to score captions against the captions that people wrote.
///
/// A set's scores must depend on sums over its images only, so that one bootstrap gives the intervals of all metrics at
/// once. What depends on all references, as CIDEr's document frequencies do, is fixed before.
public protocol CaptionMetric: Sendable {
  /// The scores that it gives, the one that stands for it last.
  static var names: [ScoreName] { get }
  /// How many numbers of an image are summed.
  static var width: Int { get }
  /// What is summed, [width], all finite.
  func statistics(of sample: CountedSample) -> [Double]
  /// The scores, one for each of `names`, of images whose statistics add up to `sums` [width]; of one image alone its own.
  static func scores(_ sums: [Double], images: Int) -> [Double]
}

/// A metric that needs nothing but the captions. Another one is a file of its own and a line in
/// `CaptionStatistics.metrics`; one that needs data is made with them and given to `CaptionStatistics`.
public protocol TextMetric: CaptionMetric {
  /// The metric as the references of all images fix it.
  init(_ samples: CountedSamples)
}

extension CaptionMetric {
  /// The score that stands for the metric where there is room for one.
  public static var headline: ScoreName { names[names.count - 1] }
}
