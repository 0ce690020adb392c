/// Words by their bytes, numbered from 0 on in the order in which they come: looked up in a file's bytes without making a
/// string of each.
struct WordIndex {
  /// The words' bytes after each other; that of number n begins at `starts[n]`.
  private var bytes: [UInt8] = []
  private var starts = [0]
  /// A hash table with linear probing; −1 where there is none.
  private var slots = [Int32](repeating: -1, count: 1024)

  /// How many words there are.
  var count: Int { starts.count - 1 }

  /// The word with a number.
  subscript(_ number: Int32) -> String {
    String(decoding: bytes[starts[Int(number)]..<starts[Int(number) + 1]], as: UTF8.self)
  }

  /// The number of a word, which gets one if it has none.
  mutating func add(_ word: String) -> Int32 {
    var word = word
    return word.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  private mutating func add(_ word: UnsafeRawBufferPointer) -> Int32 {
    var place = place(of: word)
    if slots[place] >= 0 { return slots[place] }
    if count >= slots.count / 2 {
      grow()
      place = self.place(of: word)
    }
    slots[place] = Int32(truncatingIfNeeded: count)
    bytes.append(contentsOf: word)
    starts.append(bytes.count)
    return slots[place]
  }

  /// The number of a word; nil if it has none.
  func number(of word: UnsafeRawBufferPointer) -> Int32? {
    let number = slots[place(of: word)]
    return number < 0 ? nil : number
  }

  /// The number of a word; nil if it has none.
  func number(of word: String) -> Int32? {
    var word = word
    return word.withUTF8 { number(of: UnsafeRawBufferPointer($0)) }
  }

  /// Where a word is or belongs. The hash is Swift's, whose collisions nobody can make up.
  private func place(of word: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: word)
    let mask = slots.count - 1
    var place = hasher.finalize() & mask
    bytes.withUnsafeBytes { bytes in
      while slots[place] >= 0 {
        let number = Int(slots[place])
        let range = starts[number]..<starts[number + 1]
        if range.count == word.count, bytes[range].elementsEqual(word) { break }
        place = (place + 1) & mask
      }
    }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = [Int32](repeating: -1, count: 4 * old.count)
    bytes.withUnsafeBytes { bytes in
      for number in old where number >= 0 {
        let word = UnsafeRawBufferPointer(rebasing: bytes[starts[Int(number)]..<starts[Int(number) + 1]])
        slots[place(of: word)] = number
      }
    }
  }
}
