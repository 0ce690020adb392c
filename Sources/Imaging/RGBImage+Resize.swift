extension RGBImage {
  /// The whole picture at another size (both sides at least 1): antialiased bilinear, bit for bit what
  /// Pillow's `Image.resize((width, height), BILINEAR)` gives (from version 13 on Pillow filters some shapes in
  /// the other order, which moves samples by at most 1).
  public func resized(width: Int, height: Int) -> RGBImage {
    resized(width: width, height: height, columns: 0..<width, rows: 0..<height)
  }

  /// The given columns and rows of the picture resized to `width` by `height`; the others are not computed.
  func resized(width: Int, height: Int, columns: Range<Int>, rows: Range<Int>) -> RGBImage {
    precondition(width > 0 && height > 0, "resizing to \(width)x\(height)")
    if (width, height, columns, rows) == (self.width, self.height, 0..<width, 0..<height) { return self }
    let horizontal = TriangleFilter(from: self.width, to: width, positions: columns)
    let vertical = TriangleFilter(from: self.height, to: height, positions: rows)
    let narrowed = horizontallyFiltered(by: horizontal, rows: vertical.sources)
    let result = narrowed.withUnsafeBufferPointer {
      vertical.verticallyFiltered($0, stride: columns.count * 3)
    }
    return RGBImage(width: columns.count, height: rows.count, pixels: result)
  }

  /// Samples [rows, positions, 3] after the pass along the rows.
  private func horizontallyFiltered(by filter: TriangleFilter, rows: Range<Int>) -> [UInt8] {
    let count = rows.count * filter.taps.count * 3
    return [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      pixels.withUnsafeBufferPointer { source in
        filter.weights.withUnsafeBufferPointer { weights in
          var to = output.baseAddress!
          for row in rows {
            let line = source.baseAddress! + row * width * 3
            for tap in filter.taps {
              var (red, green, blue) = (TriangleFilter.half, TriangleFilter.half, TriangleFilter.half)
              var from = line + tap.source * 3
              for k in tap.weights {
                red &+= Int32(from[0]) &* weights[k]
                green &+= Int32(from[1]) &* weights[k]
                blue &+= Int32(from[2]) &* weights[k]
                from += 3
              }
              to[0] = TriangleFilter.byte(red)
              to[1] = TriangleFilter.byte(green)
              to[2] = TriangleFilter.byte(blue)
              to += 3
            }
          }
        }
      }
      initialized = count
    }
  }
}

/// The weights of an antialiased linear filter along one axis, in Pillow's fixed point: a triangle as wide as
/// the step between output samples, at least two input samples wide, cut off at the borders and normalised.
private struct TriangleFilter {
  /// One output sample: its first input sample, and its weights' places in `weights`.
  typealias Tap = (source: Int, weights: Range<Int>)
  private(set) var taps: [Tap] = []
  private(set) var weights: [Int32] = []

  /// Weights have 22 fractional bits: 8 bits of sample and 2 of headroom fit beside them.
  private static let fractionBits: Int32 = 22
  static let half: Int32 = 1 << (fractionBits - 1)

  static func byte(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, sum >> fractionBits))) }

  /// The input samples that any output sample needs.
  var sources: Range<Int> {
    guard let first = taps.first, let last = taps.last else { return 0..<0 }
    return first.source..<last.source + last.weights.count
  }

  /// The filter from `inputCount` to `outputCount` samples, for the output samples `positions` only.
  init(from inputCount: Int, to outputCount: Int, positions: Range<Int>) {
    let scale = Double(inputCount) / Double(outputCount)
    let support = max(scale, 1)
    for position in positions {
      let center = (Double(position) + 0.5) * scale
      let first = max(0, Int(center - support + 0.5))
      let end = min(inputCount, Int(center + support + 0.5))
      let raw = (first..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) * (1 / support))) }
      let sum = raw.reduce(0, +)
      taps.append((first, weights.count..<weights.count + raw.count))
      weights += raw.map { Int32($0 / sum * Double(1 << Self.fractionBits) + 0.5) }
    }
  }

  /// Samples [positions, stride] of input rows [sources, stride].
  func verticallyFiltered(_ input: UnsafeBufferPointer<UInt8>, stride: Int) -> [UInt8] {
    let firstRow = sources.lowerBound
    let count = taps.count * stride
    return [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: stride) { sums in
        for (row, tap) in taps.enumerated() {
          sums.initialize(repeating: Self.half)
          for (k, weight) in weights[tap.weights].enumerated() {
            let line = input.baseAddress! + (tap.source - firstRow + k) * stride
            for i in 0..<stride { sums[i] &+= Int32(line[i]) &* weight }
          }
          let to = output.baseAddress! + row * stride
          for i in 0..<stride { to[i] = Self.byte(sums[i]) }
        }
      }
      initialized = count
    }
  }
}
