extension Int {
  /// The number without its fraction; the nearest that there is where it is too large, 0 where it is none.
  public init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if let exact = Int(exactly: value.rounded(.towardZero)) {
      self = exact
    } else {
      self = value < 0 ? .min : .max
    }
  }
}
