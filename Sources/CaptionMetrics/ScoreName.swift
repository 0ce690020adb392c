/// The name of a score: in JSON, and for people.
public struct ScoreName: Hashable, Sendable {
  /// The key in JSON; pycocoevalcap's where it has the score, snake_case elsewhere.
  public let key: String
  /// What tables call it.
  public let title: String

  /// A name.
  public init(_ key: String, title: String) {
    self.key = key
    self.title = title
  }

  /// Images that were captioned.
  public static let images = ScoreName("images", title: "images")
  /// The share of captions that differ from all others, 0…1.
  public static let distinct = ScoreName("distinct", title: "distinct captions")
  /// distinct-1: the share of words that are different ones, 0…1.
  public static let distinctWords = ScoreName("distinct_1", title: "distinct-1")
  /// distinct-2: the share of pairs of words that are different ones, 0…1.
  public static let distinctPairs = ScoreName("distinct_2", title: "distinct-2")
  /// The share of captions that are not among the captions learned from, 0…1.
  public static let novelty = ScoreName("novelty", title: "novel captions")
  /// Mean words of the captions.
  public static let meanLength = ScoreName("mean_length", title: "mean words")
  /// The standard deviation of their numbers of words.
  public static let lengthDeviation = ScoreName("sd_length", title: "standard deviation of words")
  /// The median number of words.
  public static let medianLength = ScoreName("median_length", title: "median words")
  /// The number of words of the shortest.
  public static let shortestLength = ScoreName("min_length", title: "least words")
  /// The number of words of the longest.
  public static let longestLength = ScoreName("max_length", title: "most words")
}
