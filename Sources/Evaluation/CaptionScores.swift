internal import Metrics

/// All that metrics say of captions.
struct CaptionScores {
  let bleu: BLEU
  let rougeL: ROUGEL
  let cider: CIDEr
  /// 95 % intervals by pycocoevalcap's names; none unless they were asked for.
  let intervals: [String: ClosedRange<Double>]

  init(_ samples: [Sample], intervals: Bool = true) {
    (bleu, rougeL, cider) = (BLEU(samples), ROUGEL(samples), CIDEr(samples))
    self.intervals = [:]
  }
}
