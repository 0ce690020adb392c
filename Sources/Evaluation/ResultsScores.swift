public import Datasets
internal import Foundation
public import Language
public import CaptionMetrics
internal import Synchronization

/// Captions that some program made, held against references.
public struct ResultsScores: Sendable {
  /// The results, in the order of their file.
  public let results: [CaptionResult]
  /// The scores of all: by all metrics, how different the captions are, how long; `novelty` where the captions learned
  /// from are known, `perplexity` per word where the results tell the log-probs of all references.
  public let scores: Scores
  /// What is odd but can be lived with, a line each.
  public let warnings: [String]
  private let samples: [Sample]
  private let statistics: CaptionStatistics
  private let novelty: Novelty?

  /// Scores a results file; only images with a result count, for CIDEr's document frequencies too.
  /// - Parameters:
  ///   - results: a file of captions, as `CaptionResult.read` takes it.
  ///   - references: a caption file, as `ReferenceCaptions` takes it.
  ///   - trainingCaptions: a caption file that the captions were learned from.
  ///   - bootstrap: what the intervals come from; nil: there are none.
  ///   - tokenizer: what takes captions apart; one that leaves scripts without spaces whole gives pycocoevalcap's scores
  ///     in every script.
  ///   - meteor: what METEOR needs; nil: it is not among the scores.
  ///   - threads: how many tokenize at once.
  /// - Throws: `DatasetError` for files that can't be read; `EvaluationError` for results that can't be scored;
  ///   `METEORDataError`.
  public init(
    of results: String, references: String, trainingCaptions: String? = nil,
    bootstrap: Bootstrap? = Bootstrap(), tokenizer: Tokenizer = Tokenizer(), meteor: METEORData? = nil,
    threads: Int
  ) throws {
    let told = try ReferenceCaptions(path: references)
    let captions = told.captions
    let found = try CaptionResult.read(from: results, about: told)
    var warnings = try told.warnings + Self.warnings(found, of: results, against: captions, in: references)
    if found.count == 1 { warnings.append(EvaluationError.ciderOfOneImage) }
    warnings += Self.departures(found.map(\.caption) + captions.values.flatMap(\.self), of: tokenizer)
    func tokens(_ captions: [String]) -> [[String]] { Self.tokens(captions, by: tokenizer, threads: threads) }
    let candidates = tokens(found.map(\.caption))
    let own = found.map { captions[$0.imageID] ?? [] }
    var words = tokens(own.flatMap(\.self))[...]
    let samples = zip(candidates, own).map { candidate, own in
      defer { words = words.dropFirst(own.count) }
      return Sample(candidate: candidate, references: Array(words.prefix(own.count)))
    }
    let empty = zip(found, samples).filter(\.1.candidate.isEmpty)
    if let first = empty.first {
      warnings.append(
        "\(empty.count) captions without a word, the first of image \(first.0.imageID): "
          + "scored as pycocoevalcap does")
    }
    novelty = try trainingCaptions.map {
      Novelty(candidates, training: tokens(try ReferenceCaptions(path: $0).captions.values.flatMap(\.self)))
    }
    statistics = CaptionStatistics(samples, and: try meteor.map { [try METEOR(samples, $0)] } ?? [])
    var scores = statistics.scores(bootstrap)
    scores[.novelty] = novelty?.share
    scores[.perplexity] = Self.perplexity(found, samples)
    self.scores = scores
    self.results = found
    self.samples = samples
    self.warnings = warnings
  }

  /// Refuses results that can't be scored, tells of what is odd.
  private static func warnings(
    _ found: [CaptionResult], of path: String, against captions: [Int: [String]], in references: String
  ) throws(EvaluationError) -> [String] {
    guard !found.isEmpty else { throw .noResults(path: path) }
    let unknown = found.filter { captions[$0.imageID] == nil }.map(\.imageID)
    guard unknown.isEmpty else {
      throw .unknownImages(path: path, images: unknown, references: references)
    }
    let bare = found.filter { captions[$0.imageID]?.isEmpty == true }.map(\.imageID)
    guard bare.isEmpty else { throw .withoutReferences(path: path, images: bare, references: references) }
    let missing = Set(captions.keys).subtracting(found.map(\.imageID)).sorted()
    return missing.isEmpty
      ? [] : ["\(path): no result for \(EvaluationError.list(missing)) of \(references): not scored"]
  }

  /// Where scores of such captions are not pycocoevalcap's, or are and surprise.
  private static func departures(_ captions: [String], of tokenizer: Tokenizer) -> [String] {
    var notes: [String] = []
    let apart = captions.count(where: tokenizer.takesApart)
    if apart > 0 {
      notes.append(
        "\(apart) captions in scripts without spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer): compared character "
          + "by character; pycocoevalcap takes every run of them for one word and gives other scores")
    }
    let decomposed = captions.count { !Tokenizer.composed($0).utf8.elementsEqual($0.utf8) }
    if decomposed > 0 {
      notes.append(
        "\(decomposed) captions have letters of several characters (Unicode NFD): to metrics, as to pycocoevalcap, they are "
          + "other words than with letters of one")
    }
    return notes
  }

  /// e^loss per word of the references, end tokens counted, if the results tell the log-probabilities of all.
  private static func perplexity(_ results: [CaptionResult], _ samples: [Sample]) -> Double? {
    var sum = 0.0
    var words = 0
    for (result, sample) in zip(results, samples) {
      guard let logProbs = result.referenceLogProbs, logProbs.count == sample.references.count else {
        return nil
      }
      sum += logProbs.reduce(0) { $0 + Double($1) }
      words += sample.references.reduce(0) { $0 + Sample.words(of: $1).count + 1 }
    }
    return words == 0 ? nil : exp(-sum / Double(words))
  }

  /// The tokens of each caption, tokenized on several threads.
  private static func tokens(_ captions: [String], by tokenizer: Tokenizer, threads: Int) -> [[String]] {
    let threads = max(1, threads)
    let chunks = Mutex<[Int: [[String]]]>([:])
    let size = (captions.count + threads - 1) / threads
    DispatchQueue.concurrentPerform(iterations: threads) { chunk in
      let range = min(captions.count, chunk * size)..<min(captions.count, (chunk + 1) * size)
      let tokens = captions[range].map(tokenizer.wholeTokens)
      chunks.withLock { $0[chunk] = tokens }
    }
    return chunks.withLock { chunks in (0..<threads).flatMap { chunks[$0] ?? [] } }
  }

  /// Writes each image's scores in the order of the results, a line an image, whole or not at all.
  /// - Throws: `FileError`.
  public func writeRows(to path: String) throws {
    try JSONRows.write(results.indices.lazy.map(row), to: path)
  }

  private func row(_ index: Int) -> Row {
    var scores = Scores()
    for (name, value) in zip(statistics.names, statistics.sample(index)) { scores[name] = value }
    return Row(
      result: results[index], scores: scores, tokens: samples[index].candidate,
      novel: novelty?.perSample[index])
  }

  private struct Row: Encodable {
    let result: CaptionResult
    let scores: Scores
    let tokens: [String]
    let novel: Bool?

    private enum Key: String, CodingKey {
      case caption, length, tokens, novel
      case imageID = "image_id"
      case logProb = "log_prob"
    }

    func encode(to encoder: any Encoder) throws {
      try scores.encode(to: encoder)
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(result.imageID, forKey: .imageID)
      try container.encode(result.caption, forKey: .caption)
      try container.encodeIfPresent(result.logProb, forKey: .logProb)
      try container.encode(tokens.count, forKey: .length)
      try container.encode(tokens, forKey: .tokens)
      try container.encodeIfPresent(novel, forKey: .novel)
    }
  }
}
