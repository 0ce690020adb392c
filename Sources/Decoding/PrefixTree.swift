public import Kernels
internal import Language
public import Layers

/// C captions as a tree of words, in which those that begin alike are one up to where they part: to say many captions
/// of one image takes one step of the decoder a node, not a word.
public struct PrefixTree {
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
  /// C.
  let captions: Int

  /// A tree of captions, token ids without start and end.
  public init(_ captions: [[Int32]]) {
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
  public var width: Int { levels.map(\.words.count).max() ?? 1 }
  /// All nodes.
  var nodes: Int { levels.reduce(0) { $0 + $1.words.count } }

  /// Writes ln p of each caption for each of N images, [N, C].
  public func logProbs(
    _ decoder: some SequenceDecoder, _ features: ImageFeatures, sharing cache: DecodingCache,
    into result: UnsafeMutablePointer<Float>, on device: Device
  ) {
    let images = features.count
    var session = decoder.session(for: features, sharing: cache, on: device)
    // ln p of the words up to each row's, rows being image by image the level's nodes.
    var totals = [Double](repeating: 0, count: images)
    for (depth, level) in levels.enumerated() {
      let nodes = level.words.count
      let next = depth + 1 < levels.count ? levels[depth + 1] : nil
      // What is asked of each node: the end, then its children in their order.
      var asked = [[Int32]](repeating: [Vocabulary.end], count: nodes)
      var places: [Int] = []  // of each child among what is asked of its parent
      for (word, parent) in zip(next?.words ?? [], next?.parents ?? []) {
        places.append(asked[Int(parent)].count)
        asked[Int(parent)].append(word)
      }
      session.advance((0..<images).flatMap { _ in level.words })
      let found = session.scores(of: 0..<images * nodes).logProbs(
        of: (0..<images).flatMap { _ in asked })
      for image in 0..<images {
        for (caption, node) in level.ends {
          let row = image * nodes + node
          result[image * captions + caption] = Float(totals[row] + Double(found[row][0]))
        }
      }
      guard let next else { break }
      let parents = (0..<images).flatMap { image in next.parents.map { image * nodes + Int($0) } }
      totals = parents.enumerated().map { row, parent in
        totals[parent] + Double(found[parent][places[row % places.count]])
      }
      session.select(parents.map { Int32($0) })
    }
  }
}
