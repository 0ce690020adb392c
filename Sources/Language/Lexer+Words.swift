/// The rules for tokens that start with a letter or a digit.
extension Lexer {
  /// Words the Treebank writes as two (`can not`, `gon na`): where the second starts.
  func assimilation(_ start: Int, _ end: Int) -> Int? {
    let known: [StaticString] = ["gonna", "gotta", "wanna", "gimme", "lemme", "cannot"]
    guard end - start == 5 || end - start == 6, known.contains(where: { spelled($0, start, end) }) else {
      return nil
    }
    if let mark = apostrophe(end), suffix(mark) != nil { return nil }
    return start + 3
  }

  /// Where the `n't` of the letters `start..<end` starts and ends, if they end in one: `do n't`.
  func contraction(_ start: Int, _ end: Int) -> Range<Int>? {
    let n = end - 1
    guard lower(n) == UInt8(ascii: "n"), let mark = apostrophe(end) ?? grave(end),
      lower(mark) == UInt8(ascii: "t"),
      n == start || lower(n - 1) != UInt8(ascii: "n"), letters(start) == end
    else { return nil }
    return n..<letters(mark)
  }

  private func grave(_ position: Int) -> Int? {
    if byte(position) == UInt8(ascii: "`") { return position + 1 }
    return byte(position) == 0xE2 && byte(position + 1) == 0x80 && byte(position + 2) == 0x98
      ? position + 3 : nil
  }

  /// `o'clock`, `O'Brien`, `d'oeuvre`, `ho'ohu`, `ma'am`; the elided first halves `y'`, `j'`, `ol'`; and words that
  /// the Treebank knows one by one.
  func apostropheWord(_ start: Int) -> Int? {
    let head = letters(start)
    guard head > start, let mark = apostrophe(head) else { return nil }
    let end = letters(mark)
    let known = knownApostropheWord(start, mark)
    if suffix(mark) != nil { return known }
    let initial = lower(start)
    if head - start == 1 {
      let elides = [UInt8(ascii: "d"), UInt8(ascii: "l"), UInt8(ascii: "n"), UInt8(ascii: "o")].contains(
        initial)
      let name = isUpper(start) && initial != UInt8(ascii: "i") && initial != UInt8(ascii: "y")
      if elides || name, end - mark >= 2 { return end }
      if let known { return known }
      if initial == UInt8(ascii: "y") { return end > mark ? mark : nil }
      if ["j", "d", "l"].contains(where: { spelled($0, start, head) }) { return mark }
      return nil
    }
    if isVowel(head - 1, orY: true), isVowel(mark) { return end }
    return spelled("ma'am", start, end) ? end : known
  }

  /// The end of a word that the Treebank knows though it has an apostrophe, whatever follows.
  private func knownApostropheWord(_ start: Int, _ mark: Int) -> Int? {
    let whole: [StaticString] = [
      "s'mores", "c'mon", "e'er", "ev'ry", "li'l", "nat'l", "cont'd.", "nor'easter", "o'o",
    ]
    if let word = whole.first(where: { matches($0, at: start) }) { return start + word.utf8CodeUnitCount }
    for (head, tail): (StaticString, StaticString) in [("cap", "n"), ("c", "est")]
    where matches(head, at: start) && apostrophe(start + head.utf8CodeUnitCount) == mark
      && matches(tail, at: mark)
    {
      return mark + tail.utf8CodeUnitCount
    }
    let elided: [StaticString] = ["ol", "somethin", "dunkin"]
    guard suffix(mark, beforeLetters: true) == nil,
      elided.contains(where: { matches($0, at: start) && apostrophe(start + $0.utf8CodeUnitCount) == mark })
    else { return nil }
    return mark
  }

  private func spelled(_ word: StaticString, _ start: Int, _ end: Int) -> Bool {
    end - start == word.utf8CodeUnitCount && matches(word, at: start)
  }

  /// The end of `s`, `m`, `d`, `re`, `ve` or `ll` at `start`, right behind an apostrophe and before no letter unless
  /// `beforeLetters`.
  func suffix(_ start: Int, beforeLetters: Bool = false) -> Int? {
    for ending: StaticString in ["s", "m", "d", "re", "ve", "ll"] where matches(ending, at: start) {
      let end = start + ending.utf8CodeUnitCount
      if beforeLetters || !isLetter(end) { return end }
    }
    return nil
  }

  /// `t-shirt`, `10-year-old`, `crème-brûlée`, `U.S.-based`, `1,000-foot`, `a.m.-p.m.`
  func hyphenated(_ start: Int) -> Int? {
    var end = word(start)
    var parts = 0
    while let mark = hyphen(end), case let next = word(elision(mark) ?? mark), next > mark {
      end = next
      parts += 1
    }
    // Plain letters and digits may carry dots and commas before the first hyphen.
    var plain = start
    while isAlphanumeric(plain) || byte(plain) == UInt8(ascii: ".") || byte(plain) == UInt8(ascii: ",") {
      plain += 1
    }
    var plainParts = 0
    while byte(plain) == UInt8(ascii: "-"), isAlphanumeric(plain + 1) {
      plainParts += 1
      if let acronym = acronym(plain + 1), byte(acronym - 1) == UInt8(ascii: ".") {
        plain = acronym
        break
      }
      plain = alphanumerics(plain + 1)
    }
    let best = max(parts > 0 ? end : start, plainParts > 0 ? plain : start)
    return best > start ? best : nil
  }

  /// The end of the `d'`, `o'` or `l'` of `hors-d'oeuvres` and `jack-o'lantern`: two letters follow.
  private func elision(_ start: Int) -> Int? {
    guard [UInt8(ascii: "d"), UInt8(ascii: "o"), UInt8(ascii: "l")].contains(lower(start)),
      let mark = apostrophe(start + 1), isLetter(mark), isLetter(letter(mark))
    else { return nil }
    return mark
  }

  /// `and/or`, `10/10/2010`, `his/her/their`: at most two slashes.
  func slashed(_ start: Int) -> Int? {
    func part(_ start: Int) -> Int {
      var end = alphanumerics(start)
      for _ in 0..<2 where end > start && byte(end) == UInt8(ascii: "-") {
        var next = end + 1
        while isASCIILetter(next) { next += 1 }
        if next > end + 1 { end = next } else { break }
      }
      return end
    }
    var end = part(start)
    var slashes = 0
    while slashes < 2, end > start, byte(end) == UInt8(ascii: "/"), case let next = part(end + 1),
      next > end + 1
    {
      end = next
      slashes += 1
    }
    return slashes > 0 ? end : nil
  }

  /// `AT&T`, `B&W`, `A+B`: capitals on both sides.
  func capitalsJoined(_ start: Int) -> Int? {
    var end = start
    while isUpper(end) { end += 1 }
    if end > start, byte(end) == UInt8(ascii: "$") { return end + 1 }  // `US$`.
    guard end > start, byte(end) == UInt8(ascii: "&") || byte(end) == UInt8(ascii: "+"), isUpper(end + 1)
    else {
      return sharpOrPlus(start)
    }
    end += 1
    while isUpper(end) { end += 1 }
    return end
  }

  /// `C++`, `C#`.
  private func sharpOrPlus(_ start: Int) -> Int? {
    if matches("c++", at: start) { return start + 3 }
    return matches("c#", at: start) ? start + 2 : nil
  }
}
