public import Kernels
internal import Language
public import Layers
public import Support
public import Tensors

extension CaptionDecoder {
  /// The captions as a training step under scheduled sampling reads them: where `replaced` says so, a word is not the
  /// true one but what the decoder itself says after the words before it, under the very dropout that
  /// `trainingForward` with the same `seed` applies. Targets stay; no gradient passes through the choice.
  ///
  /// `<pad>`, `<s>`, `<unk>` and `</s>` are never put in: the decoder never reads them when it speaks.
  /// - Parameters:
  ///   - replaced: [P]; the first words are always `<s>`.
  ///   - random: draws the words from the decoder's distribution; nil: the likeliest.
  public func scheduled(
    _ captions: PackedCaptions, v: Tensor, replaced: [Bool], dropout: DropoutRates, seed: UInt64,
    using random: inout Random?, pool: ThreadPool = .shared
  ) -> PackedCaptions {
    precondition(
      replaced.count == captions.positions, "\(replaced.count) for \(captions.positions) positions")
    let masks = masks(dropout, seed: seed)
    var state = DecoderState(self, v: v, pool: pool)
    state.gather(captions.imageRows, pool: pool)
    var inputs = captions.inputs
    var position = 0
    for (live, next) in zip(captions.batchSizes, captions.batchSizes.dropFirst()) {
      let logits = state.step(
        self, words: Array(inputs[position..<position + live]),
        dropout: (masks, position),
        pool: pool)
      position += live
      if next < live { state.gather((0..<Int32(next)).map { $0 }, pool: pool) }
      guard replaced[position..<position + next].contains(true) else { continue }
      let words = own(rows: next, logits, using: &random, pool)
      for row in 0..<next where replaced[position + row] && words[row] >= 0 {
        inputs[position + row] = words[row]
      }
    }
    return PackedCaptions(
      inputs: inputs, targets: captions.targets, batchSizes: captions.batchSizes,
      imageRows: captions.imageRows)
  }

  /// The decoder's own next words.
  private func own(
    rows: Int, _ logits: UnsafeMutablePointer<Float>, using random: inout Random?, _ pool: ThreadPool
  ) -> [Int32] {
    let excluded = [Vocabulary.padding, Vocabulary.start, Vocabulary.unknown, Vocabulary.end]
    let (words, bias) = (configuration.vocabularySize, output.linear.bias?.value.pointer)
    guard random != nil else {
      return topClasses(
        1, rows: rows, columns: words, logits: logits, bias: bias, excluding: excluded, pool: pool
      ).ids
    }
    return drawClasses(
      rows: rows, columns: words, logits: logits, bias: bias, excluding: excluded,
      uniforms: (0..<rows).map { _ in random!.uniform() }, pool: pool)
  }
}
