/// A filter across lines that come one by one, the first to the last: memory for a few lines, however many come.
struct LineFilter {
  private let filter: TriangleFilter
  /// Samples a line.
  private let length: Int
  /// Lines that came.
  private var arrived = 0
  /// Output lines that are done, in the order in which they are done.
  private var done = 0
  /// Whether input lines are kept until an output needs them, which is cheaper where outputs are many; else the sums
  /// of the outputs under way are.
  private let keepsInput: Bool
  private let slots: Int
  private var lines: [UInt8]
  private var sums: [Int32]

  init(_ filter: TriangleFilter, length: Int) {
    self.filter = filter
    self.length = length
    let longest = filter.taps.map(\.weights.count).max() ?? 0
    keepsInput = longest <= 4
    // A tap is at most twice as long as the step to the next, so that few are under way at once.
    slots = keepsInput ? longest : Self.mostAtOnce(filter)
    lines = keepsInput ? [UInt8](repeating: 0, count: slots * length) : [UInt8](repeating: 0, count: length)
    sums = [Int32](repeating: 0, count: (keepsInput ? 1 : slots) * length)
  }

  /// The output line that is done as number `order`.
  private func output(_ order: Int) -> Int { filter.isReversed ? filter.taps.count - 1 - order : order }

  private static func mostAtOnce(_ filter: TriangleFilter) -> Int {
    let taps = filter.isReversed ? filter.taps.reversed() : filter.taps
    var most = 0
    var last = 0
    for first in taps.indices {
      last = max(last, first)
      while last + 1 < taps.count, taps[last + 1].source < taps[first].end { last += 1 }
      most = max(most, last - first + 1)
    }
    return most
  }

  /// Whether the next line is needed at all.
  var needsNext: Bool { done < filter.taps.count && filter.taps[output(done)].source <= arrived }

  /// Passes over a line.
  mutating func skip() { arrived += 1 }

  /// Takes the next line; `finished` takes each output line that it completes, and its place.
  mutating func take(_ line: UnsafePointer<UInt8>, _ finished: (Int, UnsafePointer<UInt8>) -> Void) {
    if keepsInput {
      let start = arrived % max(1, slots) * length
      lines.withUnsafeMutableBufferPointer { ($0.baseAddress! + start).update(from: line, count: length) }
    } else {
      add(line)
    }
    arrived += 1
    while done < filter.taps.count, filter.taps[output(done)].end <= arrived {
      let place = output(done)
      if keepsInput { sumUp(filter.taps[place]) }
      let start = keepsInput ? 0 : done % slots * length
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: length) { bytes in
        sums.withUnsafeBufferPointer { sums in
          for i in 0..<length { bytes[i] = TriangleFilter.byte(sums[start + i]) }
        }
        finished(place, bytes.baseAddress!)
      }
      done += 1
    }
  }

  /// Adds a line to the outputs under way.
  private mutating func add(_ line: UnsafePointer<UInt8>) {
    var order = done
    while order < filter.taps.count {
      let tap = filter.taps[output(order)]
      guard tap.source <= arrived else { return }
      let start = order % slots * length
      let weight = filter.weights[tap.weights.lowerBound + arrived - tap.source]
      let isFirst = tap.source == arrived
      sums.withUnsafeMutableBufferPointer { sums in
        let sums = sums.baseAddress! + start
        if isFirst {
          for i in 0..<length { sums[i] = TriangleFilter.half &+ Int32(line[i]) &* weight }
        } else {
          for i in 0..<length { sums[i] &+= Int32(line[i]) &* weight }
        }
      }
      order += 1
    }
  }

  /// The sums of an output line whose input lines are all kept.
  private mutating func sumUp(_ tap: TriangleFilter.Tap) {
    for i in 0..<length { sums[i] = TriangleFilter.half }
    for (k, weight) in filter.weights[tap.weights].enumerated() {
      let start = (tap.source + k) % slots * length
      lines.withUnsafeBufferPointer { lines in
        sums.withUnsafeMutableBufferPointer { sums in
          for i in 0..<length { sums[i] &+= Int32(lines[start + i]) &* weight }
        }
      }
    }
  }
}
