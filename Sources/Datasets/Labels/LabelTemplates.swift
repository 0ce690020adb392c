/// Captions made of labels: "a photo of an apple".
public enum LabelTemplates {
  /// The words that captions are made with, beside those of the labels.
  public static let words = ["a", "an", "photo", "of"]

  /// How many captions there are of a label.
  public static let count = 2

  /// A caption of what a label's words say.
  /// - Parameter number: which of `count`.
  public static func caption(of label: [String], _ number: Int) -> [String] {
    let named = article(before: label).map { [$0] + label } ?? label
    return number == 0 ? ["a", "photo", "of"] + named : named
  }

  /// The indefinite article before some words; nil before a plural.
  static func article(before words: [String]) -> String? {
    guard let first = words.first, let last = words.last, !isPlural(last) else { return nil }
    return hasVowel(first) ? "an" : "a"
  }

  /// Whether a word is said with a vowel first: by its spelling, but for the usual exceptions.
  private static func hasVowel(_ word: String) -> Bool {
    let consonants = ["uni", "use", "usu", "uten", "uku", "euro", "eu", "one", "once", "ufo", "ewe"]
    let vowels = ["hour", "honest", "honor", "honour", "heir", "x-ray", "xray"]
    if vowels.contains(where: word.hasPrefix) { return true }
    if consonants.contains(where: word.hasPrefix) { return word.hasPrefix("unin") || word.hasPrefix("unim") }
    return word.first.map { "aeiou".contains($0) } ?? false
  }

  /// Whether a word is a plural, by its spelling.
  private static func isPlural(_ word: String) -> Bool {
    let singular = ["lens", "canvas", "gas", "atlas", "bus", "iris", "tennis", "christmas", "news", "mantis"]
    return word.count > 3 && word.hasSuffix("s") && !singular.contains(word)
      && !["ss", "us", "is", "os"].contains { word.hasSuffix($0) }
  }
}
