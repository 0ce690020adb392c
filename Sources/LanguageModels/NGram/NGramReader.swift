internal import Foundation
public import Support

/// What an n-gram model has read, and what it thinks comes next.
public struct NGramReader: Sendable {
  /// The model.
  public let model: NGramModel
  /// The symbols that are seen before the one that is predicted: the model's order, or fewer.
  public let order: Int
  /// Of the last 0, 1, … n symbols, where the text has them; those that it has not, and all longer ones, are left out.
  private var contexts: [Range<Int32>]
  /// How many different symbols follow contexts for which that took time to find, by depth and place.
  private var followers: [Key: Int] = [:]

  private struct Key: Hashable {
    let depth: Int
    let place: Int32
  }

  /// Nothing read yet.
  /// - Parameter order: at most the model's, which it is unless given.
  public init(_ model: NGramModel, order: Int? = nil) {
    precondition((0...model.order).contains(order ?? 0), "\(order ?? 0) of \(model.order)")
    self.model = model
    self.order = order ?? model.order
    contexts = [0..<Int32(model.text.count)]
  }

  /// p(symbol) given what was read, and then reads it.
  public mutating func read(_ symbol: UInt16) -> Double {
    var probability = 1 / Double(model.symbols)
    var longer: [Range<Int32>] = [contexts[0]]
    for (depth, context) in contexts.enumerated() {
      let narrowed = model.narrowed(context, depth: depth, to: symbol)
      probability = mixed(probability, seen: narrowed.count, context, depth)
      if !narrowed.isEmpty, depth < order { longer.append(narrowed) }
    }
    contexts = longer
    return probability
  }

  /// p(symbol) given what was read.
  public mutating func probability(of symbol: UInt16) -> Double {
    let before = contexts
    defer { contexts = before }
    return read(symbol)
  }

  /// Witten and Bell's formula, of one context.
  private mutating func mixed(
    _ shorter: Double, seen: Int, _ context: Range<Int32>, _ depth: Int
  ) -> Double {
    // At the end of the text nothing follows; that place is the first.
    let ends = !context.isEmpty && model.following(context.lowerBound, depth: depth) < 0
    let total = context.count - (ends ? 1 : 0)
    guard total > 0 else { return shorter }
    let distinct = Double(distinctFollowers(context, depth))
    return (Double(seen) + distinct * shorter) / (Double(total) + distinct)
  }

  private mutating func distinctFollowers(_ context: Range<Int32>, _ depth: Int) -> Int {
    // Few positions are looked through again; what is kept stays small.
    guard context.count > 32 else { return model.distinctFollowers(context, depth: depth) }
    let key = Key(depth: depth, place: context.lowerBound)
    if let known = followers[key] { return known }
    let count = model.distinctFollowers(context, depth: depth)
    if followers.count >= 1 << 20 { followers.removeAll(keepingCapacity: true) }
    followers[key] = count
    return count
  }

  /// Bits that a text of its own takes, each symbol given those before it: −Σ log₂ p.
  public mutating func bits(of text: [UInt16]) -> Double {
    text.reduce(0) { $0 - log2(read($1)) }
  }

  /// A symbol as Goldberg draws it, one of those that followed the longest context that the text goes on from, and reads
  /// it; nil where the text is empty.
  public mutating func draw(using random: inout Random) -> UInt16? {
    for (depth, context) in contexts.enumerated().reversed() {
      let ends = !context.isEmpty && model.following(context.lowerBound, depth: depth) < 0
      let places = context.dropFirst(ends ? 1 : 0)
      guard let place = places.randomElement(using: &random) else { continue }
      let symbol = UInt16(model.following(place, depth: depth))
      _ = read(symbol)
      return symbol
    }
    return nil
  }
}
