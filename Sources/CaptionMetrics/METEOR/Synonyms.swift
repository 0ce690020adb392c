internal import Support

/// WordNet's sets of synonyms, of those words that texts have, by METEOR's rules for inflected ones.
struct Synonyms {
  /// Numbers of sets, ascending, each once, by word: [words].
  let sets: [[Int32]]

  /// Reads what is needed of both files.
  /// - Parameters:
  ///   - synsets: a word and, on the next line, the numbers of its sets.
  ///   - exceptions: a base and, on the next line, its irregular forms.
  /// - Throws: `METEORDataError` for files of another form.
  init(
    of words: [String], synsets: METEORData.Resource, exceptions: METEORData.Resource
  ) throws(METEORDataError) {
    let bases = try Self.bases(words, exceptions)
    // All that might be looked up.
    var wanted = WordIndex()
    for word in words {
      _ = wanted.add(word)
      for base in bases[ExactName(word)] ?? Self.candidates(word) { _ = wanted.add(base) }
    }
    let found = try Self.sets(wanted, synsets)
    func sets(_ word: String) -> [Int32] { wanted.number(of: word).flatMap { found[Int($0)] } ?? [] }
    self.sets = words.map { word in
      var all = Set(sets(word))
      if let bases = bases[ExactName(word)] {
        for base in bases { all.formUnion(sets(base)) }
      } else {
        let base = Self.candidates(word).first { candidate in
          wanted.number(of: candidate).map { found[Int($0)] != nil } == true
        }
        if let base { all.formUnion(sets(base)) }
      }
      return all.sorted()
    }
  }

  /// Whether two words have a set in common.
  func share(_ one: Int32, _ other: Int32) -> Bool {
    let (one, other) = (sets[Int(one)], sets[Int(other)])
    var (place, otherPlace) = (0, 0)
    while place < one.count, otherPlace < other.count {
      if one[place] == other[otherPlace] { return true }
      if one[place] < other[otherPlace] { place += 1 } else { otherPlace += 1 }
    }
    return false
  }

  /// The bases of those `words` that are irregular forms.
  private static func bases(
    _ words: [String], _ resource: METEORData.Resource
  ) throws(METEORDataError) -> [ExactName: [String]] {
    var bases: [ExactName: [String]] = [:]
    let words = Set(words.map { ExactName($0) })
    let lines = resource.lines
    for place in stride(from: 0, to: lines.count, by: 2) {
      guard place + 1 < lines.count else {
        throw resource.malformed(line: place + 2, expected: "forms of the word before", found: "the end")
      }
      let base = String(decoding: lines[place], as: UTF8.self)
      for form in lines[place + 1].split(whereSeparator: { $0 <= 0x20 }) {
        let form = ExactName(String(decoding: form, as: UTF8.self))
        if words.contains(form) { bases[form, default: []].append(base) }
      }
    }
    return bases
  }

  /// The sets of each word of `wanted`; nil of a word that the file lacks.
  private static func sets(
    _ wanted: WordIndex, _ resource: METEORData.Resource
  ) throws(METEORDataError) -> [[Int32]?] {
    var sets = [[Int32]?](repeating: nil, count: wanted.count)
    let lines = resource.lines
    for place in stride(from: 0, to: lines.count, by: 2) {
      guard place + 1 < lines.count else {
        throw resource.malformed(line: place + 2, expected: "numbers of synonym sets", found: "the end")
      }
      guard let number = lines[place].withUnsafeBytes({ wanted.number(of: $0) }) else { continue }
      var own: [Int32] = []
      for digits in lines[place + 1].split(whereSeparator: { $0 <= 0x20 }) {
        let text = String(decoding: digits, as: UTF8.self)
        guard let set = Int32(text) else {
          throw resource.malformed(line: place + 2, expected: "numbers of synonym sets", found: "`\(text)`")
        }
        own.append(set)
      }
      sets[Int(number)] = own
    }
    return sets
  }

  /// WordNet's endings of inflected words and of their bases.
  private static let endings = [
    ("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"),
    ("ies", "y"), ("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"),
    ("ing", ""), ("er", ""), ("est", ""), ("er", "e"), ("est", "e"),
  ]

  /// What may be the base of a regular form, in the order in which it is tried; the first that has sets is.
  private static func candidates(_ word: String) -> [String] {
    if word.hasExactSuffix("ss") || word.utf16.count <= 2 { return [word] }
    return endings.compactMap { ending, base in
      word.hasExactSuffix(ending) ? String(word.unicodeScalars.dropLast(ending.count)) + base : nil
    }
  }
}

extension String {
  /// Whether the last bytes are those of `suffix`, which is ASCII; accents that follow a letter are letters here.
  fileprivate func hasExactSuffix(_ suffix: String) -> Bool {
    utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }
}
