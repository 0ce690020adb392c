/// The weights of an antialiased linear filter along one axis, in Pillow's fixed point: a triangle as wide as
/// the step between output samples, at least two input samples wide, cut off at the borders and normalised.
struct TriangleFilter {
  /// One output sample: its first input sample, and its weights' places in `weights`.
  struct Tap {
    var source: Int
    var weights: Range<Int>
    /// The place after its last input sample.
    var end: Int { source + weights.count }
  }
  private(set) var taps: [Tap] = []
  private(set) var weights: [Int32] = []
  /// Whether the samples run against the input: then the first tap is the last input's.
  private(set) var isReversed = false

  /// Weights have 22 fractional bits: 8 bits of sample and 2 of headroom fit beside them.
  private static let fractionBits: Int32 = 22
  static let half: Int32 = 1 << (fractionBits - 1)

  static func byte(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, sum >> fractionBits))) }

  /// The input samples that any output sample needs.
  var sources: Range<Int> {
    let lower = taps.map(\.source).min() ?? 0
    return lower..<(taps.map(\.end).max() ?? lower)
  }

  /// The filter from `inputCount` to `outputCount` samples, for the output samples `positions` only.
  /// - Parameter span: the part of the input that becomes the output, which may begin and end amid a sample; all of it
  ///   unless given.
  init(from inputCount: Int, span: Range<Double>? = nil, to outputCount: Int, positions: Range<Int>) {
    let span = span ?? 0..<Double(inputCount)
    let scale = (span.upperBound - span.lowerBound) / Double(outputCount)
    let support = max(scale, 1)
    for position in positions {
      let center = span.lowerBound + (Double(position) + 0.5) * scale
      let first = max(0, Int(center - support + 0.5))
      let end = min(inputCount, Int(center + support + 0.5))
      let raw = (first..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) * (1 / support))) }
      let sum = raw.reduce(0, +)
      taps.append(Tap(source: first, weights: weights.count..<weights.count + raw.count))
      weights += raw.map { Int32($0 / sum * Double(1 << Self.fractionBits) + 0.5) }
    }
  }

  /// The same filter over `span` of a longer line of input, perhaps read backwards.
  func placed(in span: Range<Int>, reversed: Bool) -> TriangleFilter {
    var placed = self
    placed.isReversed = reversed
    for index in taps.indices {
      let tap = taps[index]
      placed.taps[index].source =
        reversed ? span.upperBound - tap.end : span.lowerBound + tap.source
      if reversed { placed.weights[tap.weights].reverse() }
    }
    return placed
  }

  /// Filters one line of pixels whose first is input sample `origin`; `put` takes each sample's place and its pixel.
  @inline(__always)
  func filter(
    _ line: UnsafePointer<UInt8>, from origin: Int, _ put: (Int, UInt8, UInt8, UInt8) -> Void
  ) {
    weights.withUnsafeBufferPointer { weights in
      taps.withUnsafeBufferPointer { taps in
        for position in taps.indices {
          let tap = taps[position]
          var red = Self.half
          var green = Self.half
          var blue = Self.half
          var from = line + (tap.source - origin) * 3
          for k in tap.weights {
            red &+= Int32(from[0]) &* weights[k]
            green &+= Int32(from[1]) &* weights[k]
            blue &+= Int32(from[2]) &* weights[k]
            from += 3
          }
          put(position, Self.byte(red), Self.byte(green), Self.byte(blue))
        }
      }
    }
  }
}
