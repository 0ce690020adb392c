internal import Kernels
internal import Language
internal import Layers

extension BeamSearch {
  /// Captions that a search has found, ranked by ln p(caption | image) − λ ln p(caption), the second about no image, and
  /// the `captions` best kept: the maximum mutual information of Li et al. (2016, "A Diversity-Promoting Objective
  /// Function for Neural Conversation Models"). What would be said of any photo counts for less.
  /// - Parameters:
  ///   - found: captions of each image, each ending in `</s>`.
  ///   - images: those that were searched; only their sizes matter here.
  func ranked(_ found: [[Hypothesis]], _ images: ImageFeatures) -> [[Hypothesis]] {
    let all = found.flatMap { $0 }
    let (packed, order) = PackedSequences.packing(
      all.map { Array($0.words.dropLast()) }, imageRows: all.map { _ in 0 }, start: Vocabulary.start,
      end: Vocabulary.end)
    let unseen = TeacherForcedScores(
      decoder, packed, about: images.rows([]).withUnseen(), sharing: cache, on: device)
    var unseenLogProbs = packed.unpacked(unseen.logProbs, order).map { $0.reduce(0) { $0 + Double($1) } }[...]
    return found.map { hypotheses in
      defer { unseenLogProbs = unseenLogProbs.dropFirst(hypotheses.count) }
      let scored = zip(hypotheses, unseenLogProbs).map { hypothesis, unseen in
        let information = hypothesis.total - options.mutualInformation * unseen
        return (
          hypothesis,
          score: options.lengthNormalization.score(logProb: information, length: hypothesis.words.count)
        )
      }
      // Equals stay in the order in which the search has them.
      let best = scored.enumerated().sorted {
        ($0.element.score, $1.offset) > ($1.element.score, $0.offset)
      }
      return best.prefix(options.captions).map(\.element.0)
    }
  }
}
