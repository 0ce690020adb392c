/// Snowball's English stemmer ("Porter 2", snowballstem.org/algorithms/english) as METEOR 1.5 has it, which is that of 2010:
/// later ones, as today's libstemmer, give some words other stems.
struct EnglishStemmer {
  /// In UTF-16, as METEOR counts letters.
  private var letters: [UInt16]
  /// Where the regions R1 and R2 begin.
  private var region1 = 0
  private var region2 = 0

  /// The stem of a word in small letters.
  static func stem(of word: String) -> String {
    if let stem = wholeWords[word] { return stem }
    guard word.utf16.count >= 3 else { return word }
    var stemmer = EnglishStemmer(letters: Array(word.utf16))
    stemmer.stem()
    return String(decoding: stemmer.letters, as: UTF16.self)
  }

  private init(letters: [UInt16]) { self.letters = letters }

  private mutating func stem() {
    let marksY = markConsonantY()
    findRegions()
    removePossessive()
    removePlural()
    if !Self.keptWithoutPlural.contains(where: isWhole) {
      removePastAndParticiple()
      changeFinalY()
      replaceSuffix(Self.step2)
      replaceSuffix(Self.step3)
      replaceSuffix(Self.step4)
      removeFinalEOrL()
    }
    if marksY {
      for place in letters.indices where letters[place] == Letter.capitalY { letters[place] = Letter.y }
    }
  }

  // MARK: Letters

  private enum Letter {
    static let apostrophe = UInt16(UInt8(ascii: "'"))
    static let capitalY = UInt16(UInt8(ascii: "Y"))
    static let e = UInt16(UInt8(ascii: "e"))
    static let i = UInt16(UInt8(ascii: "i"))
    static let l = UInt16(UInt8(ascii: "l"))
    static let y = UInt16(UInt8(ascii: "y"))
  }

  private static let vowels = Set("aeiouy".utf16)
  private static let beforeLi = Set("cdeghkmnrt".utf16)
  private static let doubles = ["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"]

  private func isVowel(_ place: Int) -> Bool { Self.vowels.contains(letters[place]) }

  /// Whether the word ends with `suffix`.
  private func ends(with suffix: String) -> Bool {
    let count = suffix.utf16.count
    return count <= letters.count && letters.suffix(count).elementsEqual(suffix.utf16)
  }

  private func isWhole(_ word: String) -> Bool { letters.elementsEqual(word.utf16) }

  /// The longest of `suffixes` that the word ends with, and where it begins.
  private func longest(_ suffixes: some Sequence<String>) -> (suffix: String, start: Int)? {
    suffixes.filter(ends(with:)).max { $0.utf16.count < $1.utf16.count }
      .map { ($0, letters.count - $0.utf16.count) }
  }

  private mutating func replace(from start: Int, with ending: String) {
    letters.replaceSubrange(start..., with: ending.utf16)
  }

  /// Whether the letters before `end` end in a short syllable.
  private func isShort(_ end: Int) -> Bool {
    if end >= 3, !isVowel(end - 1), isVowel(end - 2), !isVowel(end - 3) {
      return !"wxY".utf16.contains(letters[end - 1])
    }
    return end == 2 && !isVowel(1) && isVowel(0)
  }

  // MARK: Steps

  /// Takes an apostrophe off the beginning, and makes y at the beginning or after a vowel Y, a consonant.
  /// - Returns: whether there is one.
  private mutating func markConsonantY() -> Bool {
    if letters[0] == Letter.apostrophe { letters.removeFirst() }
    var found = false
    if letters[0] == Letter.y {
      letters[0] = Letter.capitalY
      found = true
    }
    var place = 0
    while place + 1 < letters.count {
      if isVowel(place), letters[place + 1] == Letter.y {
        letters[place + 1] = Letter.capitalY
        found = true
        place += 1
      }
      place += 1
    }
    return found
  }

  private mutating func findRegions() {
    /// Behind the first consonant after a vowel, from `start` on.
    func behindSyllable(_ start: Int) -> Int? {
      guard let vowel = (start..<letters.count).first(where: isVowel) else { return nil }
      return (vowel + 1..<letters.count).first { !isVowel($0) }.map { $0 + 1 }
    }
    region1 = letters.count
    region2 = letters.count
    let beginning = ["gener", "commun", "arsen"].first { letters.starts(with: $0.utf16) }
    guard let first = beginning.map(\.utf16.count) ?? behindSyllable(0) else { return }
    region1 = first
    region2 = behindSyllable(first) ?? letters.count
  }

  private mutating func removePossessive() {
    if let (_, start) = longest(["'", "'s", "'s'"]) { replace(from: start, with: "") }
  }

  private mutating func removePlural() {
    guard let (suffix, start) = longest(["sses", "ied", "ies", "s", "us", "ss"]) else { return }
    switch suffix {
    case "sses": replace(from: start, with: "ss")
    case "ied", "ies": replace(from: start, with: start >= 2 ? "i" : "ie")
    case "s": if (0..<max(0, start - 1)).contains(where: isVowel) { replace(from: start, with: "") }
    default: break
    }
  }

  private mutating func removePastAndParticiple() {
    guard let (suffix, start) = longest(["eed", "eedly", "ed", "edly", "ing", "ingly"]) else { return }
    if suffix.hasPrefix("ee") {
      if start >= region1 { replace(from: start, with: "ee") }
      return
    }
    guard (0..<start).contains(where: isVowel) else { return }
    replace(from: start, with: "")
    if ["at", "bl", "iz"].contains(where: ends(with:)) {
      letters.append(Letter.e)
    } else if Self.doubles.contains(where: ends(with:)) {
      letters.removeLast()
    } else if letters.count == region1, isShort(letters.count) {
      letters.append(Letter.e)
    }
  }

  private mutating func changeFinalY() {
    let last = letters.count - 1
    guard last >= 2, letters[last] == Letter.y || letters[last] == Letter.capitalY, !isVowel(last - 1) else {
      return
    }
    letters[last] = Letter.i
  }

  private mutating func removeFinalEOrL() {
    let last = letters.count - 1
    guard last >= 0 else { return }
    if letters[last] == Letter.e {
      if last >= region2 || (last >= region1 && !isShort(last)) { letters.removeLast() }
    } else if letters[last] == Letter.l, last >= region2, last >= 1, letters[last - 1] == Letter.l {
      letters.removeLast()
    }
  }

  /// What becomes of a suffix, and where it must lie.
  private struct Rule {
    let ending: String
    /// The region that it must lie in, 1 or 2.
    let region: Int
    /// What must stand before it; empty: anything.
    let after: Set<UInt16>

    init(_ ending: String, region: Int = 1, after: Set<UInt16> = []) {
      self.ending = ending
      self.region = region
      self.after = after
    }
  }

  /// Replaces the longest of the suffixes, if its rule holds.
  private mutating func replaceSuffix(_ rules: [String: Rule]) {
    guard let (suffix, start) = longest(rules.keys), let rule = rules[suffix] else { return }
    guard start >= (rule.region == 1 ? region1 : region2) else { return }
    guard rule.after.isEmpty || (start > 0 && rule.after.contains(letters[start - 1])) else { return }
    replace(from: start, with: rule.ending)
  }

  private static let step2: [String: Rule] = [
    "tional": Rule("tion"), "enci": Rule("ence"), "anci": Rule("ance"), "abli": Rule("able"),
    "entli": Rule("ent"), "izer": Rule("ize"), "ization": Rule("ize"), "ational": Rule("ate"),
    "ation": Rule("ate"), "ator": Rule("ate"), "alism": Rule("al"), "aliti": Rule("al"), "alli": Rule("al"),
    "fulness": Rule("ful"), "ousli": Rule("ous"), "ousness": Rule("ous"), "iveness": Rule("ive"),
    "iviti": Rule("ive"), "biliti": Rule("ble"), "bli": Rule("ble"),
    "ogi": Rule("og", after: [Letter.l]), "fulli": Rule("ful"), "lessli": Rule("less"),
    "li": Rule("", after: beforeLi),
  ]
  private static let step3: [String: Rule] = [
    "tional": Rule("tion"), "ational": Rule("ate"), "alize": Rule("al"), "icate": Rule("ic"),
    "iciti": Rule("ic"), "ical": Rule("ic"), "ful": Rule(""), "ness": Rule(""),
    "ative": Rule("", region: 2),
  ]
  private static let step4: [String: Rule] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti",
    "ous", "ive", "ize",
  ].reduce(into: ["ion": Rule("", region: 2, after: Set("st".utf16))]) { $0[$1] = Rule("", region: 2) }

  // MARK: Exceptions

  private static let wholeWords: [String: String] = [
    "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "idly": "idl",
    "gently": "gentl", "ugly": "ugli", "early": "earli", "only": "onli", "singly": "singl", "sky": "sky",
    "news": "news", "howe": "howe", "atlas": "atlas", "cosmos": "cosmos", "bias": "bias", "andes": "andes",
  ]
  private static let keptWithoutPlural = [
    "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
  ]
}
