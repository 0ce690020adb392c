import Foundation
import Support
import TestSupport
import Testing

@testable import LanguageModels

@Suite struct NGramModelTests {
  private struct Case: Decodable {
    let name: String
    let text, held_out: [UInt16]
    let symbols, order: Int
    let probabilities: [Double]
    let bits: Double
  }

  /// tools/golden/n_gram.py counts in dictionaries.
  @Test func agreesWithCounting() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: fixture("n-gram.json")))
    let cases = try JSONDecoder().decode([Case].self, from: data)
    #expect(cases.count == 9)
    for golden in cases {
      let model = NGramModel(of: golden.text, symbols: golden.symbols, order: golden.order)
      var reader = NGramReader(model)
      let found = golden.held_out.map { reader.read($0) }
      #expect(absoluteError(found, golden.probabilities) < 1e-12, "\(golden.name)")
      var other = NGramReader(model)
      #expect(abs(other.bits(of: golden.held_out) - golden.bits) < 1e-9 * golden.bits, "\(golden.name)")
    }
  }

  /// Sorted for longer contexts, a model gives what one of a smaller order does.
  @Test func aLargerModelServesSmallerOrders() {
    let (text, heldOut) = (Self.text(2000, of: 5, seed: 7), Self.text(200, of: 6, seed: 8))
    let large = NGramModel(of: text, symbols: 6, order: 9)
    for order in [0, 1, 4, 9] {
      var (one, other) = (
        NGramReader(large, order: order), NGramReader(NGramModel(of: text, symbols: 6, order: order))
      )
      #expect(heldOut.map { one.read($0) } == heldOut.map { other.read($0) })
    }
  }

  private static func text(_ count: Int, of symbols: UInt64, seed: UInt64) -> [UInt16] {
    var random = Random(seed: seed)
    return (0..<count).map { _ in UInt16(random.next() % symbols) }
  }

  /// Whatever was read, symbols that the text has not included.
  @Test(arguments: [0, 1, 3, 8]) func probabilitiesSumToOne(order: Int) {
    let model = NGramModel(of: Self.text(3000, of: 7, seed: 1), symbols: 9, order: order)
    var reader = NGramReader(model)
    for symbol in Self.text(60, of: 9, seed: 2) {
      let sum = (0..<9).reduce(0.0) { $0 + reader.probability(of: UInt16($1)) }
      #expect(abs(sum - 1) < 1e-12)
      _ = reader.read(symbol)
    }
  }

  /// Positions are sorted by what follows them.
  @Test(arguments: [(500, 3), (300, 200), (64, 1), (1, 1), (0, 4)]) func positionsAreSorted(
    _ count: Int, _ symbols: Int
  ) {
    let text = Self.text(count, of: UInt64(symbols), seed: 3)
    for order in [0, 2, 6] {
      let model = NGramModel(of: text, symbols: symbols, order: order)
      func next(_ position: Int32) -> ArraySlice<UInt16> { text[Int(position)...].prefix(order + 1) }
      #expect(model.positions.sorted() == (0..<Int32(count)).map { $0 })
      #expect(
        zip(model.positions, model.positions.dropFirst()).allSatisfy {
          !next($1).lexicographicallyPrecedes(next($0))
        })
    }
  }

  /// What is drawn follows the longest context that is there: a text without two equal contexts is said again.
  @Test func drawsWhatFollowed() {
    let text = Array("abcdefghijklmnopqrstuvwxyz".utf8).map { UInt16($0) }
    let model = NGramModel(of: text, symbols: 128, order: 2)
    var reader = NGramReader(model)
    var random = Random(seed: 4)
    _ = reader.read(text[2])
    var drawn: [UInt16] = []
    for _ in 0..<10 { drawn.append(reader.draw(using: &random) ?? 0) }
    #expect(drawn == Array(text[3..<13]))
    // Nothing follows the end: then any symbol of the text does.
    for symbol in text.suffix(2) { _ = reader.read(symbol) }
    #expect(reader.draw(using: &random).map { text.contains($0) } == true)
    var empty = NGramReader(NGramModel(of: [], symbols: 3, order: 2))
    #expect(empty.draw(using: &random) == nil && empty.read(1) == 1.0 / 3)
  }

  /// Two kinds of hostile text: one symbol a million times, and every symbol after each other; neither takes more than its
  /// length times its order.
  @Test func hostileTexts() {
    let one = [UInt16](repeating: 0, count: 1 << 20)
    var reader = NGramReader(NGramModel(of: one, symbols: 2, order: 20))
    #expect(reader.bits(of: [UInt16](repeating: 0, count: 1 << 12)) < 1)
    let wide = Self.text(1 << 18, of: 1 << 16, seed: 5)
    reader = NGramReader(NGramModel(of: wide, symbols: 1 << 16, order: 8))
    let bits = reader.bits(of: Self.text(1 << 12, of: 1 << 16, seed: 6)) / Double(1 << 12)
    #expect(bits > 15.5 && bits < 18)
  }
}
