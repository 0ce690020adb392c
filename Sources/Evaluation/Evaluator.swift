public import Captioning
public import Decoding
public import Datasets
internal import Language
internal import Metrics
public import Tensors

/// Captions a data set and scores captions and model against the references.
public struct Evaluator {
  private let captioner: Captioner
  private let images: [CaptionedImage]
  private let pooled: Tensor
  /// The references' words, [N][references].
  private let references: [[[String]]]

  /// An evaluator of a model on images with references.
  /// - Parameters:
  ///   - images: N of them; at least one.
  ///   - pooled: their pooled maps [N, pooledSize].
  public init(_ captioner: Captioner, _ images: [CaptionedImage], pooled: Tensor) {
    precondition(images.count == pooled.shape[0] && !images.isEmpty)
    (self.captioner, self.images, self.pooled) = (captioner, images, pooled)
    let tokenizer = Tokenizer()
    references = images.map { $0.captions.map { tokenizer.tokens($0) } }
  }

  /// Captions the images and scores captions and references.
  /// - Parameters:
  ///   - sampling: draws the captions, an image's id naming its random numbers, instead of searching for them.
  ///   - progress: called with the number of images done.
  public func evaluate(
    _ options: BeamOptions, sampling: SamplingOptions? = nil, progress: (Int) -> Void
  ) -> Evaluation {
    var captions: [[Caption]] = []
    var scored: [[Caption]] = []
    var shuffledSum = 0.0
    for range in batches(of: Self.scored) {
      if range.lowerBound == captions.count {
        let block = range.lowerBound..<min(images.count, range.lowerBound + Self.searched)
        let streams = block.map { UInt64(bitPattern: Int64(images[$0].id)) }
        captions +=
          captioner.captions(
            rows(Array(block)), sampling.map { .sample($0) } ?? .beam(options), streams: streams)
      }
      let own = rows(Array(range))
      let encoded = range.map { references[$0].map(captioner.description.vocabulary.encode) }
      let owners = encoded.enumerated().flatMap { index, captions in captions.map { _ in index } }
      var found = captioner.scores(of: encoded.flatMap(\.self), rows: owners, pooled: own)[...]
      for captions in encoded {
        scored.append(Array(found.prefix(captions.count)))
        found = found.dropFirst(captions.count)
      }
      // Each image becomes another: half the set away.
      let others = range.map { ($0 + max(1, images.count / 2)) % images.count }
      let shuffled = captioner.logProbs(of: encoded.flatMap(\.self), rows: owners, pooled: rows(others))
      shuffledSum -= shuffled.joined().reduce(0) { $0 + Double($1) }
      progress(range.upperBound)
    }
    let judged = CaptionScores(samples(captions))
    let judgements = images.indices.map {
      Evaluation.Row(
        imageID: images[$0].id, fileName: images[$0].fileName, path: images[$0].path, captions: captions[$0],
        references: images[$0].captions, scoredReferences: scored[$0], bleu4: judged.bleu.perSample[$0][3],
        rougeL: judged.rougeL.perSample[$0], cider: judged.cider.perSample[$0])
    }
    return Evaluation(scores: scores(judgements, judged, shuffledSum: shuffledSum), rows: judgements)
  }

  private func scores(
    _ rows: [Evaluation.Row], _ judged: CaptionScores, shuffledSum: Double
  ) -> Evaluation.Scores {
    let words = rows.flatMap { $0.scoredReferences.flatMap(\.words) }
    let count = Double(max(1, words.count))
    let best = rows.map(\.caption)
    let texts = best.map { $0.text.split(separator: " ").map(String.init) }
    func mean(_ value: (Caption) -> Double) -> Double {
      best.reduce(0) { $0 + value($1) } / Double(best.count)
    }
    return Evaluation.Scores(
      images: rows.count, bleu: judged.bleu.corpus, rougeL: judged.rougeL.corpus, cider: judged.cider.corpus,
      meanLogProb: mean { Double($0.logProb) }, meanNormalizedLogProb: mean { Double($0.normalizedLogProb) },
      meanLength: mean { Double($0.words.count - 1) },
      loss: -words.reduce(0) { $0 + Double($1.logProb) } / count, shuffledLoss: shuffledSum / count,
      wordsFirst: Double(words.count { $0.rank == 1 }) / count,
      wordsAmongFive: Double(words.count { ($0.rank ?? .max) <= 5 }) / count,
      distinct: distinctShare(texts), distinctWords: distinctNGramShare(texts, 1),
      distinctPairs: distinctNGramShare(texts, 2),
      intervals: Dictionary(
        uniqueKeysWithValues: zip(CaptionScores.names, judged.intervals(Bootstrap())).map {
          ($0, $1.low...max($1.low, $1.high))
        }))
  }

  /// Retrieval among the first images and all their references.
  /// - Parameters:
  ///   - count: how many images; at most all are taken.
  ///   - progress: called with the number of images done.
  public func retrieval(images count: Int, progress: (Int) -> Void) -> Retrieval {
    let count = min(max(1, count), images.count)
    let captions = references[..<count].joined().map(captioner.description.vocabulary.encode)
    let owners = references[..<count].enumerated().flatMap { image, captions in captions.map { _ in image } }
    let logProbs = captioner.logProbs(ofAll: captions, pooled: rows(Array(0..<count)), progress: progress)
    return Retrieval(logProbs, owners: owners, words: captions.map { $0.count + 1 })
  }

  /// Captions the images in several ways, without scoring the references.
  /// - Parameter progress: called with the number of images done of `points.count` times all.
  public func sweep(_ points: [BeamOptions], progress: (Int) -> Void) -> [SweepPoint] {
    points.enumerated().map { index, options in
      var captions: [[Caption]] = []
      let time = ContinuousClock().measure {
        for range in batches(of: Self.searched) {
          captions += captioner.captions(rows(Array(range)), .beam(options))
          progress(index * images.count + range.upperBound)
        }
      }
      return SweepPoint(
        options, captions.map { $0[0] }, CaptionScores(samples(captions)),
        seconds: time / .seconds(1))
    }
  }

  /// Images whose captions are searched, or whose references are scored, together: searches are faster the more there
  /// are, while scoring keeps much of each word.
  private static let (searched, scored) = (1000, 100)

  private func batches(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: images.count, by: count).map { $0..<min(images.count, $0 + count) }
  }

  /// The best captions and their references, as pycocoevalcap's tokenizer reads them.
  private func samples(_ captions: [[Caption]]) -> [Sample] {
    let tokens = Tokenizer().wholeTokens
    return zip(captions, images).map { captions, image in
      Sample(candidate: tokens(captions[0].text), references: image.captions.map(tokens))
    }
  }

  private func rows(_ indices: [Int]) -> Tensor {
    let width = pooled.shape[1]
    var result = Tensor(uninitialized: [indices.count, width])
    let memory = result.mutablePointer()
    for (position, index) in indices.enumerated() {
      memory.advanced(by: position * width).update(from: pooled.pointer + index * width, count: width)
    }
    return result
  }
}
