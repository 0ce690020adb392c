internal import Decoding
public import Language
internal import Layers
public import Tensors

extension CaptionModel {
  /// A given caption's log-probability, word by word, the end token included, and each word's rank.
  /// - Parameters:
  ///   - tokens: the caption's words; those that the model does not know count as `<unk>`.
  ///   - maps: one image's, [1, mapSize].
  ///   - runnersUp: how many other words to give for each, the likeliest first.
  public func score(_ tokens: [String], _ maps: Tensor, runnersUp: Int = 0) -> Caption {
    scores(of: [description.vocabulary.encode(tokens)], rows: [0], maps: maps, runnersUp: runnersUp)[0]
  }

  /// As `score`, of many captions at once, in their order.
  /// - Parameters:
  ///   - captions: word ids without start and end.
  ///   - rows: the row of `maps` that each caption is about.
  public func scores(
    of captions: [[Int32]], rows: [Int], maps: Tensor, runnersUp: Int = 0
  ) -> [Caption] {
    let (packed, order) = packing(captions, rows)
    let scores = TeacherForcedScores(
      decoder, packed, about: features(maps), likeliest: runnersUp > 0 ? runnersUp + 1 : 0,
      sharing: cache, on: device)
    return judged(scores.captions(packed, order, in: description.vocabulary, runnersUp: runnersUp))
  }

  /// ln p of captions about no image, the end counted: how likely the decoder finds them by themselves.
  /// - Parameter captions: word ids without start and end.
  func unseenLogProbs(of captions: [[Int32]]) -> [Double] {
    let (packed, order) = packing(captions, captions.map { _ in 0 })
    let noImages = features(Tensor(zeros: [0, description.mapSize]))
    let scores = TeacherForcedScores(
      decoder, packed, about: noImages.withUnseen(), sharing: cache, on: device)
    return packed.unpacked(scores.logProbs, order).map { words in words.reduce(0) { $0 + Double($1) } }
  }

  /// ln p of every word and the end of many captions, [captions][words + 1].
  /// - Parameters:
  ///   - captions: word ids without start and end.
  ///   - rows: the row of `maps` that each caption is about.
  public func logProbs(of captions: [[Int32]], rows: [Int], maps: Tensor) -> [[Float]] {
    let (packed, order) = packing(captions, rows)
    let scores = TeacherForcedScores(
      decoder, packed, about: features(maps), sharing: cache, on: device)
    return packed.unpacked(scores.logProbs, order)
  }

  /// ln p of each of C captions for each of N images, [N, C]: what captions share at their beginnings is computed once
  /// an image.
  /// - Parameters:
  ///   - captions: word ids without start and end.
  ///   - maps: [N, mapSize].
  ///   - progress: called with the number of images done.
  public func logProbs(
    ofAll captions: [[Int32]], maps: Tensor, progress: (Int) -> Void = { _ in }
  ) -> Tensor {
    let tree = PrefixTree(captions)
    let images = maps.shape[0]
    var result = Tensor(uninitialized: [images, captions.count])
    let memory = result.mutablePointer()
    // Enough rows for the products to run at full speed.
    let block = max(1, 2048 / tree.width)
    for from in stride(from: 0, to: images, by: block) {
      let range = from..<min(images, from + block)
      tree.logProbs(
        decoder, features(maps.rows(range)), sharing: cache, into: memory + from * captions.count,
        on: device)
      progress(range.upperBound)
    }
    return result
  }

  private func packing(_ captions: [[Int32]], _ rows: [Int]) -> (
    sequences: PackedSequences, order: [Int]
  ) {
    PackedSequences.packing(
      captions, imageRows: rows.map { Int32($0) }, start: Vocabulary.start, end: Vocabulary.end)
  }
}

extension Tensor {
  /// Rows of the outermost dimension, copied.
  fileprivate func rows(_ range: Range<Int>) -> Tensor {
    let width = count / max(1, shape[0])
    var result = Tensor(uninitialized: [range.count, width])
    let memory = result.mutablePointer()
    withUnsafeBufferPointer { source in
      if let base = source.baseAddress {
        memory.update(from: base + range.lowerBound * width, count: range.count * width)
      }
    }
    return result
  }
}
