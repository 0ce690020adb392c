/// One of the parts that a list is cut into, each for a process of its own: `3/8` is the third of eight. Parts are runs of
/// the list, of which one after the other is the whole; their sizes differ by one at most.
public struct Shard: Sendable, Equatable, CustomStringConvertible {
  /// Its number, from 1.
  public let number: Int
  /// How many parts there are.
  public let count: Int

  /// A part as `number/count`; nil where the text is none.
  public init?(_ text: String) {
    let fields = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard fields.count == 2, let number = fields[0], let count = fields[1], 1 <= number, number <= count,
      count <= 1_000_000
    else { return nil }
    self.number = number
    self.count = count
  }

  /// Which of so many things are its own.
  public func range(of total: Int) -> Range<Int> {
    func start(_ part: Int) -> Int { total / count * part + min(part, total % count) }
    return start(number - 1)..<start(number)
  }

  /// For instance `3/8`.
  public var description: String { "\(number)/\(count)" }
}
