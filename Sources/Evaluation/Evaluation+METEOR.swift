public import CaptionMetrics
internal import Language

extension Evaluation {
  /// The same with METEOR's scores, of all captions and of each; not of a sweep's, nor of each caption file.
  /// - Parameter bootstrap: what its interval comes from; nil: there is none.
  /// - Throws: `METEORDataError` when the data can't be read.
  public func addingMETEOR(
    _ data: METEORData, bootstrap: Bootstrap? = Bootstrap()
  ) throws(METEORDataError) -> Evaluation {
    let samples = rows.map { row in
      Sample(
        candidate: Tokenizer().wholeTokens(Tokenizer.composed(row.caption.text)),
        references: row.image.tokens)
    }
    let statistics = CaptionStatistics(samples, by: [], and: [try METEOR(samples, data)])
    var scores = scores
    scores[.meteor] = statistics.corpus[0]
    scores[intervalOf: .meteor] = bootstrap.flatMap { statistics.intervals($0).first }
    let rows = zip(rows, statistics.perSample(.meteor)).map { row, meteor in
      var own = row.scores
      own[.meteor] = meteor
      return Row(
        image: row.image, captions: row.captions, scoredReferences: row.scoredReferences, scores: own)
    }
    return Evaluation(scores: scores, rows: rows)
  }
}
