internal import Kernels
internal import Language
internal import Layers
internal import Tensors

/// C captions as a tree of words, in which those that begin alike are one up to where they part: to say many captions
/// of one image takes one step of the decoder a node, not a word.
struct CaptionTree {
  /// The nodes of one depth; their words are read there.
  struct Level {
    var words: [Int32]
    /// Each node's place in the level above.
    var parents: [Int32]
    /// The captions that end after a node's word.
    var ends: [(caption: Int, node: Int)]
  }

  /// The first is `<s>` alone.
  let levels: [Level]
  let captions: Int

  init(_ captions: [[Int32]]) {
    self.captions = captions.count
    var levels = [Level(words: [Vocabulary.start], parents: [], ends: [])]
    // The captions still going on, and the node each has reached.
    var live = captions.indices.map { (caption: $0, node: 0) }
    while !live.isEmpty {
      let depth = levels.count - 1
      var next = Level(words: [], parents: [], ends: [])
      var children: [SIMD2<Int32>: Int] = [:]
      var longer: [(caption: Int, node: Int)] = []
      for (caption, node) in live {
        guard depth < captions[caption].count else {
          levels[depth].ends.append((caption, node))
          continue
        }
        let (parent, word) = (Int32(truncatingIfNeeded: node), captions[caption][depth])
        let place = children[[parent, word]] ?? next.words.count
        if place == next.words.count {
          children[[parent, word]] = place
          next.words.append(word)
          next.parents.append(parent)
        }
        longer.append((caption, place))
      }
      if !longer.isEmpty { levels.append(next) }
      live = longer
    }
    self.levels = levels
  }

  /// Nodes of the widest level, at least 1.
  var width: Int { levels.map(\.words.count).max() ?? 1 }
  /// All nodes.
  var nodes: Int { levels.reduce(0) { $0 + $1.words.count } }

  /// Writes ln p of each caption for each of N images, [N, C].
  func logProbs(
    _ decoder: CaptionDecoder, v: Tensor, into result: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let (images, vocabulary) = (v.shape[0], decoder.configuration.vocabularySize)
    let end = Int(Vocabulary.end)
    var state = DecoderState(decoder, v: v, pool: pool)
    // ln p of the words up to each row's, rows being image by image the level's nodes.
    var totals = [Double](repeating: 0, count: images)
    for (depth, level) in levels.enumerated() {
      let nodes = level.words.count
      let words = (0..<images).flatMap { _ in level.words }
      let logits = state.step(decoder, words: words, pool: pool)
      var ends = [Float](repeating: 0, count: words.count)
      // Leaves the logits with their bias, which differ from log-probabilities by the same in all of a row.
      softmaxCrossEntropy(
        rows: words.count, columns: vocabulary, logits: logits,
        bias: decoder.output.linear.bias?.value.pointer,
        targets: [Int32](repeating: Vocabulary.end, count: words.count), gradientScale: 0,
        logProbabilities: &ends, pool: pool)
      for image in 0..<images {
        for (caption, node) in level.ends {
          let row = image * nodes + node
          result[image * captions + caption] = Float(totals[row] + Double(ends[row]))
        }
      }
      guard depth + 1 < levels.count else { break }
      let next = levels[depth + 1]
      let parents = (0..<images).flatMap { image in next.parents.map { Int32(image * nodes) + $0 } }
      let children = (0..<images).flatMap { _ in next.words }
      totals = zip(parents, children).map { parent, word in
        let row = logits + Int(parent) * vocabulary
        return totals[Int(parent)] + Double(ends[Int(parent)]) + Double(row[Int(word)] - row[end])
      }
      state.gather(parents, pool: pool)
    }
  }
}
