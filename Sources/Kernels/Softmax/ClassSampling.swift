internal import CKernels
internal import Foundation

/// From which classes one is drawn, and how boldly.
public struct ClassSampling: Sendable, Equatable {
  /// T: probabilities are those of softmax(x / T). Below 1 the likely become likelier.
  public var temperature: Double
  /// Only the k likeliest classes (Fan et al. 2018); nil: all.
  public var topK: Int?
  /// Of these, only the fewest likeliest whose probabilities reach p (Holtzman et al. 2020); 1: all.
  public var topP: Double

  /// Values out of range are brought into it: T to 0.001...1000, k to at least 1, p to 0...1 (0 leaves the likeliest).
  public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1) {
    self.temperature = min(max(temperature, 1e-3), 1e3)
    self.topK = topK.map { max(1, $0) }
    self.topP = min(max(topP, 0), 1)
  }
}

/// Draws a class for each row of V logits, with the probability that the sampling gives it when the excluded
/// classes are left out: the one way in which classes are drawn.
/// - Parameters:
///   - logits: [rows, V]; overwritten.
///   - excluded: classes left out of the draw, though not of the softmax.
///   - excludedByRow: those of each row beside them; none when empty.
///   - uniforms: for each row, a number in 0..<1 that decides (inverse of the cumulative distribution).
/// - Returns: one place a row: the class, -1 where none is left, and its log softmax(logits + bias), T = 1 and
///   nothing left out.
public func sampledClasses(
  _ sampling: ClassSampling, of logits: MutableMatrix, bias: UnsafePointer<Float>?,
  excluding excluded: [Int32] = [], excludingByRow excludedByRow: [[Int32]] = [], uniforms: [Double],
  on device: Device
) -> TopClasses {
  let (rows, columns) = (logits.rows, logits.columns)
  precondition(uniforms.count == rows, "\(uniforms.count) numbers for \(rows) rows")
  let top = topClasses(
    sampling.topK ?? 1, of: logits, bias: bias, excluding: excluded, excludingByRow: excludedByRow, on: device
  )
  let exponentials = device.kernels.exp_row!
  let scale = Float(1 / sampling.temperature)
  var ids = [Int32](repeating: -1, count: rows)
  var values = [Float](repeating: -.infinity, count: rows)
  ids.withUnsafeMutableBufferPointer { ids in
    values.withUnsafeMutableBufferPointer { values in
      guard let ids = ids.baseAddress, let values = values.baseAddress, top.count > 0 else { return }
      device.pool.runRows(rows, columns: columns) { range in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { memory in
          let weights = memory.baseAddress!
          for row in range {
            let first = row * top.count
            guard top.ids[first] >= 0 else { continue }
            // logits + bias, -infinity where excluded; the largest and its log softmax differ by the normaliser.
            let sums = logits[row]
            let largest = sums[Int(top.ids[first])]
            var chosen: Int32
            if sampling.topK == nil && sampling.topP >= 1 {
              for column in 0..<columns { weights[column] = (sums[column] - largest) * scale }
              exponentials(weights, weights, columns)
              // What is excluded has e^-∞, which is 0.
              chosen = drawn(weights, count: columns, uniforms[row])
            } else {
              let classes =
                sampling.topK == nil
                ? (0..<Int32(columns)).filter { sums[Int($0)] > -.infinity }
                : top.ids[first..<first + top.count].filter { $0 >= 0 }
              for (place, id) in classes.enumerated() { weights[place] = (sums[Int(id)] - largest) * scale }
              exponentials(weights, weights, classes.count)
              var candidates = classes.enumerated().map { (id: $1, weight: Double(weights[$0])) }
              if sampling.topP < 1 { candidates = nucleus(candidates, sampling.topP) { sums[Int($0)] } }
              chosen = drawn(candidates, uniforms[row])
            }
            if chosen < 0 { chosen = top.ids[first] }
            ids[row] = chosen
            values[row] = top.logProbabilities[first] + (sums[Int(chosen)] - largest)
          }
        }
      }
    }
  }
  return TopClasses(count: 1, ids: ids, logProbabilities: values)
}

/// The fewest likeliest candidates that have a share of `share` in all.
private func nucleus(
  _ candidates: [(id: Int32, weight: Double)], _ share: Double, order: (Int32) -> Float
) -> [(id: Int32, weight: Double)] {
  let total = candidates.reduce(0) { $0 + $1.weight }
  // All that are below this together lack less than the nucleus may: they need not be sorted.
  let least = (1 - share) * total / Double(candidates.count)
  var sum = 0.0
  var result: [(id: Int32, weight: Double)] = []
  for candidate in candidates.filter({ $0.weight >= least }).sorted(by: {
    (-order($0.id), $0.id) < (-order($1.id), $1.id)
  }) {
    result.append(candidate)
    sum += candidate.weight
    if sum >= share * total { break }
  }
  return result
}

/// The candidate at `uniform` of the way through the weights.
private func drawn(_ candidates: [(id: Int32, weight: Double)], _ uniform: Double) -> Int32 {
  var rest = uniform * candidates.reduce(0) { $0 + $1.weight }
  for candidate in candidates {
    rest -= candidate.weight
    if rest < 0 { return candidate.id }
  }
  // Rounding: the last that has a weight; a decoder whose numbers are not finite may leave none.
  return (candidates.last { $0.weight > 0 } ?? candidates[0]).id
}

/// The same of all classes, each with its weight; -1 where none has one.
private func drawn(_ weights: UnsafePointer<Float>, count: Int, _ uniform: Double) -> Int32 {
  var total = 0.0
  for index in 0..<count { total += Double(weights[index]) }
  var rest = uniform * total
  var last: Int32 = -1
  for index in 0..<count where weights[index] > 0 {
    last = Int32(truncatingIfNeeded: index)
    rest -= Double(weights[index])
    if rest < 0 { break }
  }
  return last
}
