/// Gives every n-gram of order 1…4 a number, through a trie: an n-gram is the number of its first n − 1 words and its
/// last word. Numbers count from 0 in order of first appearance.
struct NGramNumbers {
  /// An n-gram of a caption.
  struct Term {
    let number: Int32
    /// n − 1.
    let order: Int
  }

  private var children: [UInt64: Int32] = [:]

  /// How many different n-grams have a number.
  var count: Int { children.count }

  /// Calls `body` with each n-gram of `words`; new ones get numbers.
  mutating func add(_ words: [Int32], _ body: (Term) -> Void) {
    for start in words.indices {
      var node: Int32 = -1
      for order in 0..<min(4, words.count - start) {
        let key = Self.key(node, words[start + order])
        if let child = children[key] {
          node = child
        } else {
          node = Int32(truncatingIfNeeded: children.count)
          children[key] = node
        }
        body(Term(number: node, order: order))
      }
    }
  }

  /// The n-grams of `words`; those without a number get numbers from `count` on, which hold for this call only.
  func terms(_ words: [Int32]) -> [Term] {
    var terms: [Term] = []
    terms.reserveCapacity(4 * words.count)
    var others: [UInt64: Int32] = [:]
    for start in words.indices {
      var node: Int32 = -1
      for order in 0..<min(4, words.count - start) {
        let key = Self.key(node, words[start + order])
        if let child = children[key] ?? others[key] {
          node = child
        } else {
          node = Int32(truncatingIfNeeded: children.count + others.count)
          others[key] = node
        }
        terms.append(Term(number: node, order: order))
      }
    }
    return terms
  }

  private static func key(_ parent: Int32, _ word: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: word))
  }
}
