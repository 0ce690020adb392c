/// The scores of a set of captions, and of the model that made them as far as it was looked at: what is printed, logged
/// and drawn, under one name each.
///
/// Metrics' scores are 0…1 as pycocoevalcap gives them (CIDEr: 0…10), here and in JSON.
public struct Scores: Sendable, Equatable {
  private var values: [String: Double] = [:]

  /// No scores.
  public init() {}

  /// A score; nil where it was not computed.
  public subscript(_ name: ScoreName) -> Double? {
    get { values[name.key] }
    set { values[name.key] = newValue }
  }

  /// Where a score would lie for other images of the same kind (95 %, unless told otherwise); nil where that was not
  /// computed.
  public subscript(intervalOf name: ScoreName) -> Bootstrap.Interval? {
    get {
      guard let low = values[name.key + "_low"], let high = values[name.key + "_high"] else { return nil }
      return Bootstrap.Interval(low: low, high: high)
    }
    set {
      values[name.key + "_low"] = newValue?.low
      values[name.key + "_high"] = newValue?.high
    }
  }
}

extension Scores: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Keys that earlier versions wrote in place of today's: they are read, and written beside them for those who read
  /// them.
  private static let earlierKeys = [
    "shuffled_loss": "mismatched_image_loss", "loss_shuffled_images": "mismatched_image_loss",
  ]

  /// Reads an object's numbers; what else it holds is left alone.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      guard let value = try? container.decode(Double.self, forKey: key) else { continue }
      values[Self.earlierKeys[key.stringValue] ?? key.stringValue] = value
    }
  }

  /// Writes `{"Bleu_1": 0.63, "Bleu_1_low": …, "Bleu_1_high": …, …}`, of intervals the ends.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (key, value) in values { try container.encode(value, forKey: Key(stringValue: key)) }
    for (earlier, key) in Self.earlierKeys {
      try container.encodeIfPresent(values[key], forKey: Key(stringValue: earlier))
    }
  }
}
