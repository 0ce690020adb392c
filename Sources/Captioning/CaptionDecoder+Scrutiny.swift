internal import Kernels
internal import Layers
internal import Tensors

/// What a decoder thinks of each of P positions of given captions.
struct Scrutiny {
  /// ln p of each target [P].
  private(set) var logProbs: [Float]
  /// 1 + the number of words likelier than the target [P].
  private(set) var ranks: [Int]
  /// The likeliest words of each position [P, k]; none where none were asked for.
  private(set) var likeliest: [(id: Int32, logProb: Float)] = []

  /// - Parameter count: k.
  init(
    _ decoder: CaptionDecoder, _ captions: PackedCaptions, v: Tensor, likeliest count: Int, pool: ThreadPool
  ) {
    var trace = CaptionDecoder.Trace()
    decoder.runLSTM(captions, v: v, dropout: CaptionDecoder.Masks(), into: &trace, pool)
    let linear = decoder.output.linear
    let (positions, size, vocabulary) = (captions.positions, linear.inputs, linear.outputs)
    (logProbs, ranks) = ([Float](repeating: 0, count: positions), [Int](repeating: 1, count: positions))
    let count = min(count, vocabulary)
    var buffer = Buffer()
    let block = 256
    let logits = buffer.reserve(min(block, positions) * vocabulary)
    for from in stride(from: 0, to: positions, by: block) {
      let range = from..<min(positions, from + block)
      let targets = Array(captions.targets[range])
      linear.product(rows: range.count, trace.lstm.hiddenStates + from * size, into: logits, pool: pool)
      var found = [Float](repeating: 0, count: range.count)
      // Leaves the logits with their bias.
      softmaxCrossEntropy(
        rows: range.count, columns: vocabulary, logits: logits, bias: linear.bias?.value.pointer,
        targets: targets,
        gradientScale: 0, logProbabilities: &found, pool: pool)
      logProbs.replaceSubrange(range, with: found)
      for (row, target) in targets.enumerated() {
        ranks[from + row] = Self.rank(of: Int(target), logits + row * vocabulary, vocabulary)
      }
      if count > 0 {
        let top = topClasses(
          count, rows: range.count, columns: vocabulary, logits: logits, bias: nil, pool: pool)
        likeliest += zip(top.ids, top.logProbabilities).map { ($0, $1) }
      }
    }
    withExtendedLifetime((trace, buffer)) {}
  }

  private static func rank(of target: Int, _ logits: UnsafePointer<Float>, _ count: Int) -> Int {
    let own = logits[target]
    var above: Int32 = 0
    for word in 0..<count { above &+= logits[word] > own ? 1 : 0 }
    return 1 + Int(above)
  }
}
