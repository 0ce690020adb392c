/// The rules for tokens with dots, and for addresses.
extension Lexer {
  /// `U.S.`, `p.m`, `s.c.u.b.a.`: single letters between dots.
  func acronym(_ start: Int) -> Int? {
    var end = start
    var count = 0
    while isASCIILetter(end), !isLetter(end + 1), byte(end + 1) == UInt8(ascii: ".") {
      end += 2
      count += 1
    }
    guard count > 0 else { return nil }
    if isASCIILetter(end), !isAlphanumeric(end + 1) { return end + 1 }
    return count > 1 ? end : nil
  }

  /// Acronyms; words with no space after the full stop (`google.com`, and `street.a` too).
  func dotted(_ start: Int) -> Int? {
    var end = start
    if isLetter(start) {
      end = wordOfAddress(start)
      var joined = false
      while byte(end) == UInt8(ascii: ".") || byte(end) == UInt8(ascii: "!")
        || byte(end) == UInt8(ascii: "?"),
        isLetter(end + 1)
      {
        end = wordOfAddress(end + 1)
        joined = true
      }
      if !joined { end = start }
    }
    end = max(end, acronym(start) ?? start)
    return end > start ? end : nil
  }

  private func wordOfAddress(_ start: Int) -> Int {
    var end = start
    while true {
      let next = isDigit(end) ? end + 1 : letter(end)
      if next == end { return end }
      end = next
    }
  }

  /// `St.`, `Mr.`; `No.` before a number; a single letter unless the sentence ends there.
  func abbreviation(_ start: Int, word end: Int) -> Int? {
    guard byte(end) == UInt8(ascii: ".") else { return nil }
    let dot = end + 1
    if byte(dot) == UInt8(ascii: ",") || byte(dot) == UInt8(ascii: ";") || byte(dot) == UInt8(ascii: ":") {
      return dot
    }
    if end - start == 1, isASCIILetter(start) { return sentenceStarts(dot) ? nil : dot }
    guard end - start <= 6 else { return nil }
    let word = String(decoding: (start..<end).map { lower($0) }, as: UTF8.self)
    if Abbreviations.always.contains(word) { return dot }
    if Abbreviations.companies.contains(word) { return isUpper(end - 1) ? nil : dot }
    if isUpper(start), Abbreviations.capitalized.contains(word) { return dot }
    if Abbreviations.beforeNumbers.contains(word) {
      return isDigit(dot) || (byte(dot) == 0x20 && isDigit(dot + 1)) ? dot : nil
    }
    return nil
  }

  /// Whether the text ends here or goes on with a capitalised word that often opens a sentence.
  private func sentenceStarts(_ position: Int) -> Bool {
    var start = position
    while isSpaceOrEnd(start), start < text.count { start += 1 }
    if start >= text.count { return true }
    guard start > position, isUpper(start) else { return false }
    let end = letters(start)
    guard end - start <= 9 else { return false }
    return Abbreviations.sentenceOpeners.contains(
      String(decoding: (start..<end).map { lower($0) }, as: UTF8.self))
  }

  /// Web and mail addresses.
  func address(_ start: Int) -> Int? {
    if matches("http://", at: start) || matches("https://", at: start) || matches("www.", at: start) {
      return addressEnd(start)
    }
    if let end = dotted(start), byte(end) == UInt8(ascii: "/"),
      matches(".com", at: end - 4) || matches(".org", at: end - 4) || matches(".net", at: end - 4)
    {
      return addressEnd(end)
    }
    var end = alphanumerics(start)
    while isAlphanumeric(end)
      || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte(end))
    {
      end += 1
    }
    guard end > start, byte(end) == UInt8(ascii: "@"), isAlphanumeric(end + 1) else { return nil }
    end = alphanumerics(end + 1)
    while byte(end) == UInt8(ascii: ".") || byte(end) == UInt8(ascii: "-"), isAlphanumeric(end + 1) {
      end = alphanumerics(end + 1)
    }
    return end
  }

  private func addressEnd(_ start: Int) -> Int {
    let stops: Set<UInt8> = Set("<>\"()|`".utf8)
    var end = start
    while !isSpaceOrEnd(end), byte(end) < 0x80, !stops.contains(byte(end)) { end += 1 }
    let punctuation: Set<UInt8> = Set(".,?!;:'".utf8)
    while end > start + 1, punctuation.contains(byte(end - 1)) { end -= 1 }
    // A possessive is no part of the address.
    if byte(end - 2) == UInt8(ascii: "'"), lower(end - 1) == UInt8(ascii: "s") { end -= 2 }
    return end
  }
}

/// The abbreviations that keep their dot, in lower case.
enum Abbreviations {
  static let always = Set(
    """
    adj adm adv al ala apr ariz assn assoc atty attys aug ave bhd bldg blvd bros calif capt cf cie cmdr co col
    colo comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb fla fri ft ga gen gov
    hon inc ind insp intl jan jos jr jul jun kan kans ky lieut lt ltd maj mar md messrs mich minn mme mo mon
    mont mr mrs ms mt natl neb nev nov oct okla penn pfc ph plc pres prof profs pvt rd rep reps rev rt sen sens
    sep sept seq sfc sgt spc sq sr st ste supt sys tel tenn thu thurs tue tues univ va vs vt wed wis wisc wm wyo
    """.split(whereSeparator: \.isWhitespace).map(String.init))
  /// Words when in lower case.
  static let capitalized: Set = ["ark", "az", "del", "ill", "la", "mass", "miss", "ore", "pa", "tex", "wash"]
  /// Not kept in capitals.
  static let companies: Set = ["mfg", "mtg", "pte", "pty"]
  static let beforeNumbers: Set = ["art", "ca", "fig", "figs", "no", "nos", "op", "pp", "prop"]
  /// After a single letter's dot these, capitalised, open a new sentence.
  static let sentenceOpeners = Set(
    """
    a about according after an as at but earlier he her here however if in it last many more now once one other our
    she since so some such that the their then there these they this we what when while yet you
    """.split(whereSeparator: \.isWhitespace).map(String.init))
}
