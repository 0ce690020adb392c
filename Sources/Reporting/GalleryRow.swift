internal import Evaluation
internal import Language
internal import Models
internal import Support

/// An image of the gallery, as the page's script reads it. Names are short: there are a thousand of them.
struct GalleryRow: Encodable {
  /// A caption: words with `</s>` last, their log-probs, and the sum.
  struct Line: Encodable {
    /// Words.
    let w: [String]
    /// Log-probs, in hundredths.
    let l: [Int]
    /// The sum, in hundredths.
    let t: Int

    init(_ caption: Caption) {
      w = caption.words.map(\.word)
      l = caption.words.map { Self.hundredths($0.logProb) }
      t = Self.hundredths(caption.logProb)
    }

    static func hundredths(_ value: Float) -> Int {
      Int(saturating: (min(1e6, max(-1e6, Double(value))) * 100).rounded())
    }
  }

  /// A reference: the text as it was written, and its log-prob per word in hundredths.
  struct Reference: Encodable {
    let x: String
    let n: Int
  }

  /// Id and file name.
  let i: String
  let f: String
  /// The picture's source.
  let s: String?
  /// Captions, the best first.
  let c: [Line]
  /// References.
  let r: [Reference]
  /// CIDEr, ROUGE-L and BLEU-4, all in thousandths.
  let m: [Int]
  /// Confidence, in thousandths.
  let p: Int?
  /// Where the model looked for each word of the best caption.
  let e: [Look]?

  /// A grid.
  struct Look: Encodable {
    /// The brightness of each cell beside the brightest, a digit to base 36.
    let b: String
    /// The weight of the brightest, in thousandths.
    let m: Int

    init(_ weights: [Float]) {
      let most = weights.max() ?? 0
      b = weights.map { weight in
        let brightness = most > 0 ? Double(weight / most) : 0
        return String(Int(saturating: (brightness * 35).rounded()), radix: 36)
      }.joined()
      m = Int(saturating: (Double(most) * 1000).rounded())
    }
  }

  init(_ row: Evaluation.Row, source: String?, confidence: Double?, looks: Explanation? = nil) {
    i = "\(row.image.id)"
    f = row.image.fileName
    s = source
    c = row.captions.map(Line.init)
    r = zip(row.image.references, row.scoredReferences).map {
      Reference(x: $0, n: Line.hundredths($1.normalizedLogProb))
    }
    func thousandths(_ value: Double) -> Int {
      value.isFinite ? Int(saturating: (value * 1000).rounded()) : 0
    }
    m = [row.scores.cider, row.scores.rougeL, row.scores.bleu4].map(thousandths)
    p = confidence.map(thousandths)
    e = looks?.weights.map(Look.init)
  }
}
