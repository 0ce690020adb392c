internal import Decoding
internal import Foundation
internal import Kernels
internal import Layers
internal import Support

/// Scheduled sampling (Bengio et al. 2015): in training, the word before is the true one with probability ε only, else
/// one of the model's own, as it will be when it speaks. ε falls as training goes on.
public struct ScheduledSampling: Codable, Sendable, Equatable {
  /// How ε falls with the steps i.
  public enum Curve: String, SettingValue, CaseIterable {
    /// ε = 1: teacher forcing.
    case none
    /// max(floor, k − c·i).
    case linear
    /// k^i, k < 1.
    case exponential
    /// k / (k + e^(i/k)), k ≥ 1.
    case inverseSigmoid
  }

  /// What the coin decides on.
  public enum Coin: String, SettingValue, CaseIterable {
    /// Each word.
    case token
    /// Each caption as a whole.
    case sequence
  }

  /// How the model's own word is chosen.
  public enum Choice: String, SettingValue, CaseIterable {
    /// The likeliest.
    case argmax = "argMax"
    /// Drawn from its distribution.
    case sample
  }

  /// How ε falls.
  public var curve = Curve.none
  /// k of the curve.
  public var k = 1.0
  /// c of the linear curve, per step.
  public var c = 0.0001
  /// The least that ε becomes on the linear curve.
  public var floor = 0.75
  /// Each word or each caption.
  public var coin = Coin.token
  /// Likeliest or drawn.
  public var choice = Choice.sample

  /// Teacher forcing.
  public init() {}

  /// ε before step `step`, from 0.
  public func epsilon(step: Int) -> Double {
    let i = Double(step)
    switch curve {
    case .none: return 1
    case .linear: return min(1, max(floor, k - c * i))
    case .exponential: return pow(k, i)
    // Past 700 e^x is infinite and ε 0.
    case .inverseSigmoid: return k / (k + exp(i / k))
    }
  }

  /// The sequences with tokens exchanged for the decoder's own as the coins fall at `step`: those of the whole batch, if it is
  /// shared.
  func applied(
    to sequences: PackedSequences, about images: ImageFeatures, by decoder: some SequenceDecoder,
    _ dropout: DropoutPass, step: Int, _ random: Random, on device: Device
  ) -> PackedSequences {
    let share = 1 - epsilon(step: step)
    guard share > 0 else { return sequences }
    var random = random
    let batchSizes = dropout.rows?.wholeBatchSizes ?? sequences.batchSizes
    var replaced: [Bool]
    switch coin {
    case .token: replaced = (0..<batchSizes.reduce(0, +)).map { _ in Double(random.uniform()) < share }
    case .sequence:
      let coins = (0..<(batchSizes.first ?? 0)).map { _ in Double(random.uniform()) < share }
      replaced = batchSizes.flatMap { coins[..<$0] }
    }
    var uniforms = choice == .sample ? Self.uniforms(where: replaced, batchSizes, using: &random) : nil
    if let own = dropout.rows?.positions {
      replaced = own.map { replaced[Int($0)] }
      uniforms = uniforms.map { uniforms in own.map { uniforms[Int($0)] } }
    }
    return decoder.readingOwnTokens(
      sequences, about: images, where: replaced, dropout, drawing: uniforms, on: device)
  }

  /// What draws the tokens of each position: numbers at the steps at which one is replaced.
  private static func uniforms(
    where replaced: [Bool], _ batchSizes: [Int], using random: inout Random
  ) -> [Double] {
    var uniforms = [Double](repeating: 0, count: replaced.count)
    var start = batchSizes.first ?? 0
    for live in batchSizes.dropFirst() {
      let step = start..<start + live
      if replaced[step].contains(true) { for place in step { uniforms[place] = Double(random.uniform()) } }
      start += live
    }
    return uniforms
  }

  /// What is out of range, as `name: expected …, found …`.
  var problem: String? {
    switch curve {
    case .none: nil
    case .linear where !k.isFinite:
      "--sampling-k: expected a finite number for the linear curve, found \(k)"
    case .linear where !(c >= 0 && c.isFinite):
      "--sampling-c: expected 0 or more for the linear curve, found \(c)"
    case .linear where !(0...1).contains(floor):
      "--sampling-floor: expected 0 to 1 for the linear curve, found \(floor)"
    case .exponential where !(k > 0 && k <= 1):
      "--sampling-k: expected 0 to 1 for the exponential curve, found \(k)"
    case .inverseSigmoid where !(k >= 1 && k.isFinite):
      "--sampling-k: expected at least 1 for the inverse sigmoid, found \(k)"
    default: nil
    }
  }
}
