internal import Support

/// Which values an option may have, and how people are told.
public struct Bounds<Value>: Sendable {
  /// In words, after "expected": `1 to 64`.
  public let text: String
  /// Whether a value is among them.
  public let contains: @Sendable (Value) -> Bool

  /// Any rule, and what it says.
  public init(_ text: String, contains: @escaping @Sendable (Value) -> Bool) {
    self.text = text
    self.contains = contains
  }
}

extension Bounds where Value: Comparable & Sendable {
  /// Both ends included.
  public static func range(_ range: ClosedRange<Value>) -> Bounds {
    Bounds("\(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
  }
}

extension Bounds<Int> {
  /// 0 or more, to what memory and time can bear.
  public static func zeroOrMore(upTo limit: Int) -> Bounds {
    Bounds("0 or more") { (0...limit).contains($0) }
  }

  /// 1 or more, to what memory and time can bear.
  public static func oneOrMore(upTo limit: Int) -> Bounds {
    Bounds("1 or more") { (1...limit).contains($0) }
  }
}

extension Bounds<Double> {
  /// 0 to 1, without 1 even in single precision: a share that is dropped, or a decay.
  public static let share = Bounds("at least 0 and less than 1") { $0 >= 0 && Float($0) < 1 }

  /// More than the one and less than the other.
  public static func between(_ lower: Double, _ upper: Double) -> Bounds {
    Bounds("more than \(plain(lower)) and less than \(plain(upper))") { $0 > lower && $0 < upper }
  }

  /// At least the one and less than the other.
  public static func from(_ lower: Double, below upper: Double) -> Bounds {
    Bounds("at least \(plain(lower)) and less than \(plain(upper))") { $0 >= lower && $0 < upper }
  }

  private static func plain(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(saturating: value))" : "\(value)"
  }
}
