/// The share of different captions among `captions`, 0…1; 0 if there are none.
///
/// A model that says the same of every photo has a share near 0.
public func distinctShare(_ captions: some Collection<[String]>) -> Double {
  captions.isEmpty ? 0 : Double(Set(captions).count) / Double(captions.count)
}

/// distinct-n (Li et al. 2016): the share of different n-grams among all n-grams of `captions`, 0…1; 0 if there are
/// none. It falls with the number of captions: compare sets of one size.
/// - Parameter n: 1 for words, 2 for pairs.
public func distinctNGramShare(_ captions: some Sequence<[String]>, _ n: Int) -> Double {
  precondition(n > 0)
  var words = WordNumbers()
  var grams: Set<[Int32]> = []
  var total = 0
  for caption in captions where caption.count >= n {
    let numbers = words.numbers(of: caption)
    total += numbers.count - n + 1
    for start in 0...numbers.count - n { grams.insert(Array(numbers[start..<start + n])) }
  }
  return total == 0 ? 0 : Double(grams.count) / Double(total)
}
