/// METEOR 1.5's search for the best alignment: a beam from left to right over the reference's words, in which each word of
/// both texts is aligned once at most.
///
/// The best alignment has most aligned words (exact ones count one, others a half, rounded down at each), then fewest
/// chunks, then the smallest sum of distances; of equals the first stays first. As there, what was added to the distance
/// for earlier matches of a word counts for its later ones too.
struct AlignmentSearch {
  /// How many partial alignments are kept.
  static let width = 40

  /// A partial alignment.
  private struct Path {
    var matched = 0
    var otherMatched = 0
    var chunks = 0
    var distance = 0
    /// The reference's word that comes next.
    var next = 0
    /// Behind the last match in the candidate; −1 where there is none.
    var lastEnd = -1
    /// The match that was taken last, in `links`; −1 where there is none.
    var link = -1
    /// Of what is not yet among the kept: the path that it goes on from, and the match taken; −1 where there is none.
    var parent = 0
    var taken = -1

    /// Whether it is better than another, by METEOR's order.
    func precedes(_ other: Path) -> Bool {
      let (score, otherScore) = (matched + otherMatched, other.matched + other.otherMatched)
      if score != otherScore { return score > otherScore }
      if chunks != other.chunks { return chunks < other.chunks }
      return distance < other.distance
    }

    mutating func take(_ match: WordMatch) {
      matched += match.stage == .exact ? Int(match.otherLength) : Int(match.otherLength) / 2
      otherMatched += match.stage == .exact ? Int(match.length) : Int(match.length) / 2
      if lastEnd != -1, Int(match.otherStart) != lastEnd { chunks += 1 }
      next = Int(match.start + match.length)
      lastEnd = Int(match.otherStart + match.otherLength)
    }
  }

  private let matches: WordMatches
  /// Of each word of the reference the match that is sure: the only one of all its words.
  private let sure: [Int?]
  /// Words of 64 bits that tell of each word of the candidate whether it is aligned.
  private let bitWords: Int
  private var paths: [Path] = [Path()]
  /// [paths, bitWords].
  private var used: [UInt64]
  /// Matches that were taken, each with the one before it.
  private var links: [(match: Int, before: Int)] = []

  /// The matches of the best alignment, by the reference's words.
  static func best(_ matches: WordMatches, candidateLength: Int) -> [WordMatch] {
    var search = AlignmentSearch(matches, candidateLength)
    let words = matches.coverage.reference.count
    for word in 0..<words { search.advance(word) }
    return search.result()
  }

  private init(_ matches: WordMatches, _ candidateLength: Int) {
    self.matches = matches
    bitWords = (candidateLength + 63) / 64
    used = [UInt64](repeating: 0, count: bitWords)
    sure = matches.coverage.reference.indices.map { word in
      let range = matches.starts[word]..<matches.starts[word + 1]
      guard range.count == 1 else { return nil }
      let match = matches.all[range.lowerBound]
      let isAlone =
        (match.start..<match.start + match.length).allSatisfy { matches.coverage.reference[Int($0)] == 1 }
        && (match.otherStart..<match.otherStart + match.otherLength)
          .allSatisfy { matches.coverage.candidate[Int($0)] == 1 }
      return isAlone ? range.lowerBound : nil
    }
  }

  /// Goes on by the reference's word at `word`.
  private mutating func advance(_ word: Int) {
    var kept: [Path] = []
    kept.reserveCapacity(Self.width + 1)
    let range = matches.starts[word]..<matches.starts[word + 1]
    for (rank, path) in paths.enumerated() {
      var path = path
      path.parent = rank
      path.taken = -1
      if word < path.next {
        // Within a match.
        Self.insert(path, into: &kept)
      } else if let match = sure[word] {
        path.distance += Int(abs(matches.all[match].start - matches.all[match].otherStart))
        path.take(matches.all[match])
        path.taken = match
        Self.insert(path, into: &kept)
      } else {
        for place in range {
          let match = matches.all[place]
          guard isFree(match, rank) else { continue }
          var longer = path
          longer.take(match)
          longer.taken = place
          Self.insert(longer, into: &kept)
          path.distance += Int(abs(match.start - match.otherStart))
        }
        // Without this word.
        if path.lastEnd != -1 { path.chunks += 1 }
        path.lastEnd = -1
        path.next += 1
        Self.insert(path, into: &kept)
      }
    }
    replacePaths(by: kept)
  }

  /// Puts a path behind all that are as good, if it is among the best.
  private static func insert(_ path: Path, into kept: inout [Path]) {
    if kept.count == width, !path.precedes(kept[width - 1]) { return }
    var place = kept.count
    while place > 0, path.precedes(kept[place - 1]) { place -= 1 }
    kept.insert(path, at: place)
    if kept.count > width { kept.removeLast() }
  }

  private mutating func replacePaths(by kept: [Path]) {
    var longer = [UInt64](repeating: 0, count: kept.count * bitWords)
    paths = kept
    for (row, path) in kept.enumerated() {
      for bits in 0..<bitWords { longer[row * bitWords + bits] = used[path.parent * bitWords + bits] }
      guard path.taken >= 0 else { continue }
      let match = matches.all[path.taken]
      for word in match.otherStart..<match.otherStart + match.otherLength {
        longer[row * bitWords + Int(word) / 64] |= 1 << UInt64(word % 64)
      }
      links.append((path.taken, path.link))
      paths[row].link = links.count - 1
    }
    used = longer
  }

  /// Whether a path has aligned none of the match's words in the candidate; in the reference none can be.
  private func isFree(_ match: WordMatch, _ rank: Int) -> Bool {
    for word in match.otherStart..<match.otherStart + match.otherLength
    where used[rank * bitWords + Int(word) / 64] >> UInt64(word % 64) & 1 != 0 {
      return false
    }
    // What is sure overlaps nothing.
    return true
  }

  private func result() -> [WordMatch] {
    var kept: [Path] = []
    for path in paths {
      var path = path
      if path.lastEnd != -1 { path.chunks += 1 }
      Self.insert(path, into: &kept)
    }
    var taken: [WordMatch] = []
    var link = kept[0].link
    while link >= 0 {
      taken.append(matches.all[links[link].match])
      link = links[link].before
    }
    return taken.reversed()
  }
}
