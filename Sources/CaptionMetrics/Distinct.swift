/// The share of different captions among `captions`, 0…1; 0 if there are none.
///
/// A model that says the same of every photo has a share near 0.
public func distinctShare(_ captions: some Collection<[String]>) -> Double {
  captions.isEmpty ? 0 : Double(Set(captions).count) / Double(captions.count)
}

/// distinct-n (Li et al. 2016): the share of different n-grams among all n-grams of `captions`, 0…1; 0 if there are
/// none. It falls with the number of captions: compare sets of one size.
/// - Parameter n: 1 for words, 2 for pairs; at most 4.
public func distinctNGramShare(_ captions: some Sequence<[String]>, _ n: Int) -> Double {
  precondition((1...4).contains(n), "n-grams of \(n) words")
  var words = WordNumbers()
  var grams = NGramNumbers()
  var total = 0
  for caption in captions {
    _ = grams.add(words.numbers(of: caption))
    total += max(0, caption.count - n + 1)
  }
  return total == 0 ? 0 : Double(grams.distinct[n - 1]) / Double(total)
}
