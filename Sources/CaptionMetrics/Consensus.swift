/// How far captions of one image say the same.
public enum Consensus {
  /// The places of the `keep` captions that agree most with the others, in order; all of them when there are no more.
  /// Of equals, the first.
  ///
  /// Training on them teaches what most people would say of an image (consensus-based training: Phan et al. 2017).
  public static func mostAgreed(_ captions: [[String]], keep: Int) -> [Int] {
    guard captions.count > keep else { return Array(captions.indices) }
    let agreements = captions.indices.map { place in
      agreement(captions[place], captions.indices.filter { $0 != place }.map { captions[$0] })
    }
    let ranked = captions.indices.sorted { (-agreements[$0], $0) < (-agreements[$1], $1) }
    return ranked.prefix(max(0, keep)).sorted()
  }

  /// The share of a caption's n-grams that any of the others has, averaged over n = 1…4; 0…1. A caption's beginning
  /// and end count as words where n > 1.
  public static func agreement(_ caption: [String], _ others: [[String]]) -> Double {
    let shares = (1...4).map { n in
      let own = grams(caption, n)
      var most: [[String]: Int] = [:]
      for other in others { most.merge(grams(other, n), uniquingKeysWith: max) }
      let total = own.values.reduce(0, +)
      let shared = own.reduce(0) { $0 + min($1.value, most[$1.key] ?? 0) }
      return total == 0 ? 0 : Double(shared) / Double(total)
    }
    return shares.reduce(0, +) / 4
  }

  private static func grams(_ caption: [String], _ n: Int) -> [[String]: Int] {
    let words = n > 1 ? ["<s>"] + caption + ["</s>"] : caption
    guard words.count >= n else { return [:] }
    return (0...words.count - n).reduce(into: [:]) { $0[Array(words[$1..<$1 + n]), default: 0] += 1 }
  }
}
