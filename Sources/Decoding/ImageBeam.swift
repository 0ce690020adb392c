internal import Kernels
internal import Language

/// The search over one image.
struct ImageBeam {
  private let options: BeamOptions
  /// The captions that go on, the likeliest first.
  private(set) var live = [Hypothesis()]
  /// The best that have ended, the best first.
  private(set) var finished: [Hypothesis] = []

  init(_ options: BeamOptions) { self.options = options }

  /// Replaces the live captions, which are `rows` of the extensions, by their likeliest continuations.
  /// - Returns: for each new live caption, which old one it extends.
  mutating func advance(_ extensions: TopClasses, rows: Range<Int>) -> [Int] {
    let forced = options.constraints.forced
    var candidates: [(parent: Int, word: Int32, logProb: Float, total: Double, unmet: Int)] = []
    for (parent, row) in rows.enumerated() {
      let unmet = forced.isEmpty ? [] : options.constraints.unmet(after: live[parent].words)
      for place in row * extensions.count..<(row + 1) * extensions.count where extensions.ids[place] >= 0 {
        let (word, logProb) = (extensions.ids[place], extensions.logProbabilities[place])
        candidates.append(
          (
            parent, word, logProb, live[parent].total + Double(logProb),
            unmet.count - (unmet.contains(word) ? 1 : 0)
          ))
      }
    }
    // Of equals, the caption that was likelier before, then the lower word.
    candidates.sort { (-$0.total, $0.parent, $0.word) < (-$1.total, $1.parent, $1.word) }

    // A beam for each number of forced words that are still to come.
    var (seen, kept) = (
      [Int](repeating: 0, count: forced.count + 1), [Int](repeating: 0, count: forced.count + 1)
    )
    var next: [(parent: Int, caption: Hypothesis)] = []
    for candidate in candidates {
      let ends = candidate.word == Vocabulary.end
      defer { seen[candidate.unmet] += 1 }
      guard ends ? seen[candidate.unmet] < options.beamWidth : kept[candidate.unmet] < options.beamWidth
      else {
        continue
      }
      let caption = live[candidate.parent].extended(by: candidate.word, candidate.logProb)
      if ends {
        finish(caption)
      } else {
        kept[candidate.unmet] += 1
        next.append((candidate.parent, caption))
      }
    }
    if candidates.isEmpty && finished.isEmpty {
      // A decoder whose numbers are not finite ranks nothing: its caption ends here, without a likelihood.
      finish(live[0].extended(by: Vocabulary.end, -.infinity))
    }
    // Those that can't become better than what is finished can't displace one that can: they need not go on.
    if finished.count == options.captions { next = Array(next.prefix { canEnter($0.caption) }) }
    live = next.map(\.caption)
    return next.map(\.parent)
  }

  private func score(_ caption: Hypothesis) -> Double {
    options.lengthNormalization.score(logProb: caption.total, length: caption.words.count)
  }

  /// Whether a live caption, or a less likely one, could still become better than the worst that is finished.
  private func canEnter(_ caption: Hypothesis) -> Bool {
    let lengths = caption.words.count + 1...max(caption.words.count, options.maximumLength) + 1
    return options.lengthNormalization.bound(logProb: caption.total, lengths: lengths) > score(finished.last!)
  }

  private mutating func finish(_ caption: Hypothesis) {
    let place = finished.firstIndex { score($0) < score(caption) } ?? finished.count
    finished.insert(caption, at: place)
    if finished.count > options.captions { finished.removeLast() }
  }
}
