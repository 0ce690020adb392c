internal import Support

/// How many captions are no repetition of one that the model learned from (as reported for instance by Vinyals et al.
/// 2017, "Show and Tell: Lessons Learned from the 2015 MSCOCO Image Captioning Challenge").
public struct Novelty: Sendable, Equatable {
  /// The share of captions that are new, 0…1; 0 if there are none.
  public let share: Double
  /// Whether each caption is new, [N].
  public let perSample: [Bool]

  /// Looks for each of `captions`, word by word, among `training`.
  public init(_ captions: some Sequence<[String]>, training: some Sequence<[String]>) {
    let known = Set(training)
    perSample = captions.map { !known.contains($0) }
    share = perSample.map { $0 ? 1 : 0 }.mean
  }
}
