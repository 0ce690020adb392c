internal import Support

/// How long captions are, in words.
public struct CaptionLengths: Sendable, Equatable {
  /// The mean; 0 if there are no captions.
  public let mean: Double
  /// The standard deviation, of the captions themselves (divided by N).
  public let standardDeviation: Double
  /// The number of words of the shortest and of the longest.
  public let shortest, longest: Int
  /// The middle one; of two the mean.
  public let median: Double

  /// Measures `captions`.
  public init(_ captions: some Sequence<[String]>) {
    let sorted = captions.map(\.count).sorted()
    let lengths = sorted.map(Double.init)
    let mean = lengths.mean
    self.mean = mean
    standardDeviation = lengths.map { ($0 - mean) * ($0 - mean) }.mean.squareRoot()
    shortest = sorted.first ?? 0
    longest = sorted.last ?? 0
    median = lengths.median
  }
}
