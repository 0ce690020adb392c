/// What follows n symbols in a text, counted (Goldberg 2015, "The unreasonable effectiveness of character-level language
/// models"), with back-off to shorter contexts where they have been seen too seldom: interpolated as Witten & Bell (1991)
/// do, in the form of Chen & Goodman (1998, 2.4). With c(·) how often something is in the text and d(h) how many different
/// symbols follow h,
///
///     p(s | h) = (c(h s) + d(h)·p(s | h′)) / (c(h) + d(h)),  h′ = h without its first symbol,  p(s | nothing before h) = 1/V
///
/// Nothing is counted beforehand: the text's positions are sorted by the n + 1 symbols from there on, so that every context
/// is a range of them. Memory is 10 bytes a symbol while they are sorted, whatever the order and whatever the text.
public struct NGramModel: Sendable {
  /// n: the symbols that are seen before the one that is predicted.
  public let order: Int
  /// V: symbols are 0..<V, those too that are not in the text.
  public let symbols: Int
  /// The text.
  let text: [UInt16]
  /// Its positions, sorted by the n + 1 symbols from there on; what ends comes before what goes on.
  let positions: [Int32]
  /// Where the positions of each symbol begin among them [V + 1].
  let starts: [Int32]

  /// The most symbols that a text may have.
  public static let longestText = 1 << 27
  /// The orders there are.
  public static let orders = 0...32
  /// The most different symbols.
  public static let mostSymbols = 1 << 16

  /// The model of a text, each symbol below `symbols`.
  public init(of text: [UInt16], symbols: Int, order: Int) {
    precondition(text.count <= Self.longestText && Self.orders.contains(order), "\(text.count), \(order)")
    precondition((1...Self.mostSymbols).contains(symbols) && text.allSatisfy { $0 < symbols }, "\(symbols)")
    self.text = text
    self.symbols = symbols
    self.order = order
    var starts = [Int32](repeating: 0, count: symbols + 1)
    for symbol in text { starts[Int(symbol) + 1] += 1 }
    for symbol in 0..<symbols { starts[symbol + 1] += starts[symbol] }
    self.starts = starts
    positions = Self.sorted(text, starts, depth: order + 1)
  }

  /// Sorted by one symbol after another, the last first, each time keeping the order of those that are the same: time is
  /// the text's length times the depth, whatever the text.
  private static func sorted(_ text: [UInt16], _ starts: [Int32], depth: Int) -> [Int32] {
    let count = text.count
    var positions = (0..<Int32(count)).map { $0 }
    var next = positions
    // How often each symbol is at an offset from some position.
    var counts = (0..<starts.count - 1).map { starts[$0 + 1] - starts[$0] }
    for symbol in text.prefix(min(depth, count)) { counts[Int(symbol)] -= 1 }
    for offset in stride(from: min(depth, count) - 1, through: 0, by: -1) {
      counts[Int(text[offset])] += 1
      // What has ended comes first.
      var places = counts
      var start = Int32(offset)
      for symbol in places.indices {
        places[symbol] = start
        start += counts[symbol]
      }
      var endedPlace = 0
      positions.withUnsafeBufferPointer { positions in
        next.withUnsafeMutableBufferPointer { next in
          for position in positions {
            let at = Int(position) + offset
            if at >= count {
              next[endedPlace] = position
              endedPlace += 1
            } else {
              let symbol = Int(text[at])
              next[Int(places[symbol])] = position
              places[symbol] += 1
            }
          }
        }
      }
      swap(&positions, &next)
    }
    return positions
  }

  /// The positions that a context of `depth` symbols is at, and of them those that `symbol` follows.
  func narrowed(_ range: Range<Int32>, depth: Int, to symbol: UInt16) -> Range<Int32> {
    if depth == 0 { return starts[Int(symbol)]..<starts[Int(symbol) + 1] }
    let lower = firstPlace(in: range, depth, of: Int(symbol))
    return lower..<firstPlace(in: lower..<range.upperBound, depth, of: Int(symbol) + 1)
  }

  /// The symbol that follows a context of `depth` symbols at a place in the sorted positions; −1: the text ends there.
  func following(_ place: Int32, depth: Int) -> Int {
    let at = Int(positions[Int(place)]) + depth
    return at < text.count ? Int(text[at]) : -1
  }

  /// The first place in a range where `symbol`, or one after it, follows.
  private func firstPlace(in range: Range<Int32>, _ depth: Int, of symbol: Int) -> Int32 {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = low + (high - low) / 2
      if following(middle, depth: depth) < symbol { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// How many different symbols follow a context. Each is found by steps that double from the last, so that few symbols in
  /// a large range cost little.
  func distinctFollowers(_ range: Range<Int32>, depth: Int) -> Int {
    var (place, count) = (range.lowerBound, 0)
    while place < range.upperBound {
      let symbol = following(place, depth: depth)
      if symbol >= 0 { count += 1 }
      var (before, step) = (place, Int32(1))
      while before + step < range.upperBound, following(before + step, depth: depth) == symbol {
        before += step
        step *= 2
      }
      place = firstPlace(in: before..<min(range.upperBound, before + step), depth, of: symbol + 1)
    }
    return count
  }
}
