internal import Foundation

/// A small seeded generator (SplitMix64: Steele, Lea & Flood 2014) whose whole state is one number.
public struct Random: RandomNumberGenerator, Codable, Sendable, Equatable {
  private var state: UInt64

  /// A generator that gives the same numbers for the same seed, on every machine.
  public init(seed: UInt64) { state = seed }

  /// An independent stream named by `keys`: the same keys, the same stream, whatever was drawn before.
  public init(seed: UInt64, stream keys: UInt64...) { self.init(seed: seed, stream: keys) }

  /// As `init(seed:stream:)` with the keys in an array.
  public init(seed: UInt64, stream keys: [UInt64]) {
    state = seed
    for key in keys { state = Random.mixed(state &+ 0x9E37_79B9_7F4A_7C15) ^ Random.mixed(key &+ 1) }
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Random.mixed(state)
  }

  /// Uniform in 0..<1, with 24 bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Standard normal (Box–Muller).
  public mutating func normal() -> Float {
    let radius = (-2 * Foundation.log(1 - Double(next() >> 11) * 0x1p-53)).squareRoot()
    return Float(radius * Foundation.cos(2 * .pi * Double(next() >> 11) * 0x1p-53))
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
