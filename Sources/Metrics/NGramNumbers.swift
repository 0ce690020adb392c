/// Gives every n-gram of order 1…4 a number, through a trie: an n-gram is the number of its first n − 1 words and its
/// last word. Numbers count from 0 in order of first appearance.
struct NGramNumbers {
  private var children: [UInt64: Int32] = [:]

  /// How many different n-grams have a number.
  var count: Int { children.count }

  /// Calls `body` with the number of each n-gram of `words`; new ones get numbers.
  mutating func add(_ words: [Int32], upTo longest: Int = 4, _ body: (Int) -> Void) {
    for start in words.indices {
      var node: Int32 = -1
      for order in 0..<min(longest, words.count - start) {
        let key = Self.key(node, words[start + order])
        if let child = children[key] {
          node = child
        } else {
          node = Int32(truncatingIfNeeded: children.count)
          children[key] = node
        }
        body(Int(node))
      }
    }
  }

  /// The n-grams of `words`, counted; those without a number get numbers from `count` on, which hold for this call
  /// only.
  func counts(_ words: [Int32]) -> NGramCounts {
    var found: [UInt64] = []
    found.reserveCapacity(4 * words.count)
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
        found.append(UInt64(UInt32(bitPattern: node)) << 2 | UInt64(order))
      }
    }
    return NGramCounts(sorting: found, length: words.count)
  }

  private static func key(_ parent: Int32, _ word: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: word))
  }
}

/// How often a caption has each of its n-grams.
struct NGramCounts {
  struct Term {
    let number: Int32
    /// n − 1.
    let order: Int
    var count: Int
  }

  /// Sorted by number, each once.
  private(set) var terms: [Term] = []
  /// The number of words.
  let length: Int

  /// From the number × 4 + order of each n-gram.
  fileprivate init(sorting found: [UInt64], length: Int) {
    self.length = length
    terms.reserveCapacity(found.count)
    for value in found.sorted() {
      let number = Int32(truncatingIfNeeded: value >> 2)
      if let last = terms.last, last.number == number {
        terms[terms.count - 1].count += 1
      } else {
        terms.append(Term(number: number, order: Int(value & 3), count: 1))
      }
    }
  }
}
