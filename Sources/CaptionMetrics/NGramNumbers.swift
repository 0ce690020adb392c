/// Gives every n-gram of order 1…4 a number, through a trie: an n-gram is the number of its first n − 1 words and its
/// last word. Numbers count from 0 in order of first appearance.
///
/// The trie is a hash table with linear probing, key and number side by side: nearly all of a metric's time are misses
/// of the cache in it, and this is one for each n-gram.
struct NGramNumbers: Sendable {
  private struct Slot: Sendable {
    var key: UInt64
    /// −1 where there is none.
    var number: Int32
  }

  private var slots = [Slot](repeating: Slot(key: 0, number: -1), count: 1024)
  /// How many different n-grams of each order have a number.
  private(set) var distinct = SIMD4<Int>()

  /// How many different n-grams have a number.
  var count: Int { distinct.wrappedSum() }

  /// The n-grams of `words`, counted; new ones get numbers.
  mutating func add(_ words: [Int32]) -> NGramCounts {
    var found: [UInt64] = []
    found.reserveCapacity(4 * words.count)
    for start in words.indices {
      var node: Int32 = -1
      for order in 0..<min(4, words.count - start) {
        let key = Self.key(node, words[start + order])
        var place = place(of: key)
        if slots[place].number < 0 {
          if count >= slots.count / 8 * 5 {
            grow()
            place = self.place(of: key)
          }
          slots[place] = Slot(key: key, number: Int32(truncatingIfNeeded: count))
          distinct[order] += 1
        }
        node = slots[place].number
        found.append(NGramCounts.entry(node, order))
      }
    }
    return NGramCounts(sorting: &found, length: words.count)
  }

  /// The n-grams of `words`, counted; those without a number get numbers from `count` on, which hold for this call
  /// only.
  func counts(_ words: [Int32]) -> NGramCounts {
    var found: [UInt64] = []
    found.reserveCapacity(4 * words.count)
    var others: [UInt64: Int32] = [:]
    let count = count
    for start in words.indices {
      var node: Int32 = -1
      for order in 0..<min(4, words.count - start) {
        let key = Self.key(node, words[start + order])
        let number = slots[place(of: key)].number
        if number >= 0 {
          node = number
        } else if let number = others[key] {
          node = number
        } else {
          node = Int32(truncatingIfNeeded: count + others.count)
          others[key] = node
        }
        found.append(NGramCounts.entry(node, order))
      }
    }
    return NGramCounts(sorting: &found, length: words.count)
  }

  private static func key(_ parent: Int32, _ word: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: word))
  }

  /// Where `key` is or belongs.
  private func place(of key: UInt64) -> Int {
    let product = (key ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: product.high ^ product.low) & mask
    while slots[place].number >= 0, slots[place].key != key { place = (place + 1) & mask }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(key: 0, number: -1), count: 4 * old.count)
    for slot in old where slot.number >= 0 { slots[place(of: slot.key)] = slot }
  }
}

/// How often a caption has each of its n-grams.
struct NGramCounts: Sendable {
  struct Term: Sendable {
    let number: Int32
    /// n − 1.
    let order: Int8
    var count: Int32
  }

  /// Sorted by number, each once.
  private(set) var terms: [Term] = []
  /// The number of words.
  let length: Int

  fileprivate static func entry(_ number: Int32, _ order: Int) -> UInt64 {
    UInt64(UInt32(bitPattern: number)) << 2 | UInt64(order)
  }

  /// From the entry of each n-gram.
  fileprivate init(sorting entries: inout [UInt64], length: Int) {
    self.length = length
    entries.sort()
    terms.reserveCapacity(entries.count)
    for entry in entries {
      let number = Int32(truncatingIfNeeded: entry >> 2)
      if let last = terms.last, last.number == number {
        terms[terms.count - 1].count += 1
      } else {
        terms.append(Term(number: number, order: Int8(entry & 3), count: 1))
      }
    }
  }
}
