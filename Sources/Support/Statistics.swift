extension Collection<Double> {
  /// The mean; 0 of nothing.
  public var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

extension [Double] {
  /// The value that a share of these sorted values does not exceed, in proportion between two of them (type 7 of Hyndman &
  /// Fan 1996, as numpy's); 0 of nothing.
  /// - Parameter share: 0 (the least) to 1 (the greatest).
  public func quantileOfSorted(_ share: Double) -> Double {
    guard !isEmpty else { return 0 }
    let place = share * Double(count - 1)
    let below = Swift.min(Swift.max(0, Int(place)), count - 1)
    let above = Swift.min(below + 1, count - 1)
    return self[below] + (place - Double(below)) * (self[above] - self[below])
  }

  /// The middle one, of two their mean; 0 of nothing.
  public var median: Double { sorted().quantileOfSorted(0.5) }
}
