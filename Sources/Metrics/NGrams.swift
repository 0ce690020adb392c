/// One to four words in a row, as numbers; 0 where there are fewer.
typealias NGram = SIMD4<Int32>

/// Gives every different word a number from 1 on, so that n-grams are cheap to compare.
struct WordNumbers {
  private var numbers: [String: Int32] = [:]

  mutating func numbers(of words: [String]) -> [Int32] {
    words.map { word in
      if let number = numbers[word] { return number }
      let number = Int32(truncatingIfNeeded: numbers.count + 1)
      numbers[word] = number
      return number
    }
  }
}

/// How often each n-gram of order 1…4 occurs; `counts[n - 1]` are those of order n.
func nGramCounts(_ words: [Int32]) -> [[NGram: Int]] {
  var counts = [[NGram: Int]](repeating: [:], count: 4)
  for start in words.indices {
    var gram = NGram()
    for order in 0..<min(4, words.count - start) {
      gram[order] = words[start + order]
      counts[order][gram, default: 0] += 1
    }
  }
  return counts
}
