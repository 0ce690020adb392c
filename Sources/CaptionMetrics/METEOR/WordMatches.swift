/// Words or phrases of a candidate and a reference that METEOR may align.
struct WordMatch {
  /// Where it begins in the reference, and how many words it has.
  let start, length: Int32
  /// The same in the candidate.
  let otherStart, otherLength: Int32
  /// What makes them alike.
  let stage: Stage

  /// What may make words alike, in the order in which METEOR asks.
  enum Stage: Int, CaseIterable {
    case exact, stem, synonym, paraphrase
  }
}

/// All that may be aligned of a candidate and a reference, in the order in which METEOR finds it.
struct WordMatches {
  /// By the word of the reference that they begin at; within one as they were found.
  private(set) var all: [WordMatch] = []
  /// Where those of each word begin in `all`, [words of the reference + 1].
  private(set) var starts: [Int] = []
  /// How many matches each word is in.
  private(set) var coverage: (candidate: [Int32], reference: [Int32])

  /// The most that are found; a caption of 100 words with one of 100 has some hundred.
  static let limit = 1 << 21

  /// A text as matches read it.
  struct Text {
    /// The words' numbers.
    let words: [Int32]
    /// The phrases in it that have paraphrases or are some.
    let phrases: [Paraphrases.Occurrence]
  }

  /// Finds all; nil if there are more than `limit`.
  /// - Parameter phrasePlaces: scratch memory, [phrases], −1 everywhere before and after.
  init?(
    _ candidate: Text, _ reference: Text, _ lexicon: Lexicon, phrasePlaces: inout [Int32]
  ) {
    coverage = (
      [Int32](repeating: 0, count: candidate.words.count), [Int32](repeating: 0, count: reference.words.count)
    )
    var found: [WordMatch] = []
    let keys = (lexicon.keys(candidate.words), lexicon.keys(reference.words))
    for place in reference.words.indices {
      for other in candidate.words.indices where keys.0[other] == keys.1[place] {
        found.append(Self.single(place, other, .exact))
      }
    }
    // Alike from end to end: nothing else is asked, so that the search can't go astray.
    if keys.0 != keys.1 {
      let stems = (lexicon.stems(candidate.words), lexicon.stems(reference.words))
      for place in reference.words.indices {
        for other in candidate.words.indices
        where stems.0[other] == stems.1[place] && keys.0[other] != keys.1[place] {
          found.append(Self.single(place, other, .stem))
        }
      }
      for place in reference.words.indices {
        for other in candidate.words.indices where keys.0[other] != keys.1[place] {
          if lexicon.synonyms.share(candidate.words[other], reference.words[place]) {
            found.append(Self.single(place, other, .synonym))
          }
        }
      }
      guard Self.addParaphrases(candidate, reference, lexicon.paraphrases, &phrasePlaces, to: &found) else {
        return nil
      }
    }
    guard found.count <= Self.limit else { return nil }
    for match in found {
      for word in match.otherStart..<match.otherStart + match.otherLength {
        coverage.candidate[Int(word)] += 1
      }
      for word in match.start..<match.start + match.length { coverage.reference[Int(word)] += 1 }
    }
    sort(found, words: reference.words.count)
  }

  private static func single(_ place: Int, _ other: Int, _ stage: WordMatch.Stage) -> WordMatch {
    WordMatch(start: Int32(place), length: 1, otherStart: Int32(other), otherLength: 1, stage: stage)
  }

  /// Phrases of the reference whose paraphrases the candidate has, then the other way round.
  /// - Returns: false if there are too many.
  private static func addParaphrases(
    _ candidate: Text, _ reference: Text, _ paraphrases: Paraphrases, _ places: inout [Int32],
    to found: inout [WordMatch]
  ) -> Bool {
    for isReversed in [false, true] {
      let (phrases, others) =
        isReversed ? (candidate.phrases, reference.phrases) : (reference.phrases, candidate.phrases)
      // Of each phrase the first place among `others`, and from there the next.
      var following = [Int32](repeating: -1, count: others.count)
      for (place, other) in others.enumerated().reversed() {
        following[place] = places[Int(other.phrase)]
        places[Int(other.phrase)] = Int32(place)
      }
      defer { for other in others { places[Int(other.phrase)] = -1 } }
      for phrase in phrases {
        for paraphrase in paraphrases.paraphrases(of: phrase.phrase) {
          var place = places[Int(paraphrase)]
          while place >= 0 {
            let other = others[Int(place)]
            let (own, its) = isReversed ? (other, phrase) : (phrase, other)
            found.append(
              WordMatch(
                start: own.start, length: own.length, otherStart: its.start, otherLength: its.length,
                stage: .paraphrase))
            if found.count > limit { return false }
            place = following[Int(place)]
          }
        }
      }
    }
    return true
  }

  /// Brings them into the order of the reference's words; within one all stay as they were found.
  private mutating func sort(_ found: [WordMatch], words: Int) {
    starts = [Int](repeating: 0, count: words + 1)
    for match in found { starts[Int(match.start) + 1] += 1 }
    for word in 0..<words { starts[word + 1] += starts[word] }
    var free = starts
    guard let first = found.first else { return }
    all = [WordMatch](repeating: first, count: found.count)
    for match in found {
      all[free[Int(match.start)]] = match
      free[Int(match.start)] += 1
    }
  }
}
