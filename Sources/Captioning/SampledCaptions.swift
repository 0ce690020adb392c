public import Kernels
internal import Language
internal import Layers
public import Support
public import Tensors

extension CaptionDecoder {
  /// Captions drawn from the decoder's distribution, word by word: `count` of each image, without `<s>` and `</s>`;
  /// `<pad>`, `<s>` and `<unk>` are never drawn. What has not ended after `maximumLength` words is cut there.
  /// - Parameter v: image features [N, D].
  /// - Returns: [N × count], image by image.
  public func sampledCaptions(
    v: Tensor, count: Int, maximumLength: Int, using random: inout Random, pool: ThreadPool = .shared
  ) -> [[Int32]] {
    var state = DecoderState(self, v: v, pool: pool)
    state.gather((0..<Int32(v.shape[0])).flatMap { [Int32](repeating: $0, count: count) }, pool: pool)
    var captions = [[Int32]](repeating: [], count: state.rows)
    var live = Array(captions.indices)
    for _ in 0..<maximumLength where !live.isEmpty {
      let logits = state.step(self, words: live.map { captions[$0].last ?? Vocabulary.start }, pool: pool)
      let words = drawClasses(
        rows: live.count, columns: configuration.vocabularySize, logits: logits,
        bias: output.linear.bias?.value.pointer,
        excluding: [Vocabulary.padding, Vocabulary.start, Vocabulary.unknown],
        uniforms: live.map { _ in random.uniform() }, pool: pool)
      let going = live.indices.filter { words[$0] != Vocabulary.end }
      for row in going { captions[live[row]].append(words[row]) }
      live = going.map { live[$0] }
      if going.count < words.count { state.gather(going.map { Int32($0) }, pool: pool) }
    }
    return captions
  }
}
