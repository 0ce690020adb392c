/// Names data by a number: equal data, equal numbers, on every machine; for telling apart, not against forgery.
///
/// FNV-1a (Fowler, Noll & Vo), one word or one byte at a time. What is kept under such names outlives a version: the
/// numbers never change.
public struct Fingerprint: Sendable {
  /// The number so far.
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// Of nothing yet.
  public init() {}

  /// Takes up a word as a whole. The upper bits of words meet no lower ones: where words may differ in those alone, as
  /// bytes read eight at a time do, `addFolded` tells more apart.
  public mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x0000_0100_0000_01B3 }

  /// Takes up a word so that each of its bits may change each of the number's.
  public mutating func addFolded(_ word: UInt64) {
    add(word)
    value ^= value >> 32
  }

  /// Takes up bytes one by one.
  public mutating func add(bytes: some Sequence<UInt8>) {
    for byte in bytes { add(UInt64(byte)) }
  }

  /// The number in hexadecimal digits, without leading zeros.
  public var text: String { String(value, radix: 16) }
}
