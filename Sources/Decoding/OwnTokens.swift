public import Kernels
internal import Language
public import Layers

extension SequenceDecoder {
  /// The sequences as a training step under scheduled sampling reads them: where `replaced` says so, a token is not the
  /// true one but what the decoder itself says after the tokens before it, under the very dropout that
  /// `trainingForward` applies in the same pass. Targets stay; no gradient passes through the choice.
  ///
  /// `<pad>`, `<s>`, `<unk>` and `</s>` are never put in: the decoder never reads them when it speaks.
  /// - Parameters:
  ///   - replaced: [P]; the first tokens are always `<s>`.
  ///   - uniforms: of each position [P], which draw the tokens from the decoder's distribution; nil: the likeliest.
  public func readingOwnTokens(
    _ sequences: PackedSequences, about images: ImageFeatures, where replaced: [Bool], _ dropout: DropoutPass,
    drawing uniforms: [Double]?, on device: Device
  ) -> PackedSequences {
    precondition(
      replaced.count == sequences.positions, "\(replaced.count) for \(sequences.positions) positions")
    let excluded = Constraints.unspoken + [Vocabulary.end]
    var session = session(for: images, sharing: DecodingCache(), dropout: dropout, on: device)
    session.select(sequences.imageRows)
    var inputs = sequences.inputs
    for (step, next) in zip(sequences.steps, sequences.steps.dropFirst()) {
      session.advance(Array(inputs[step.range]))
      if next.rows < step.rows { session.select((0..<Int32(next.rows)).map { $0 }) }
      guard replaced[next.range].contains(true) else { continue }
      let scores = session.scores(of: 0..<next.rows)
      let own =
        uniforms.map { scores.drawn(excluding: excluded, uniforms: Array($0[next.range])) }
        ?? scores.likeliest(1, excluding: excluded)
      for (position, token) in zip(next.range, own.ids) where replaced[position] && token >= 0 {
        inputs[position] = token
      }
    }
    return PackedSequences(
      inputs: inputs, targets: sequences.targets, batchSizes: sequences.batchSizes,
      imageRows: sequences.imageRows)
  }
}
