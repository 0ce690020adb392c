internal import Foundation

/// How far rows of logits are from a teacher's, and the gradient, in place (Hinton et al. 2015):
///
///     loss = T² KL(p ‖ q),  p = softmax(s / T),  q = softmax(z / T),  δz = T (q − p)·scale
///
/// T² keeps the gradient's size whatever T is.
/// - Parameters:
///   - logits: z [rows, K]; afterwards δz.
///   - scores: s [rows, K].
///   - temperature: T, more than 0.
///   - scale: what δz is multiplied by.
/// - Returns: the loss of each row.
public func softTargetDivergence(
  _ logits: MutableMatrix, scores: Matrix, temperature: Float, scale: Float, on device: Device
) -> [Float] {
  precondition(logits.rows == scores.rows && logits.columns == scores.columns && temperature > 0)
  var losses = [Float](repeating: 0, count: logits.rows)
  losses.withUnsafeMutableBufferPointer { losses in
    // Each row writes its own place.
    nonisolated(unsafe) let losses = losses
    device.pool.runRows(logits.rows, columns: logits.columns) { range in
      for row in range {
        losses[row] = divergence(
          logits[row], scores[row], count: logits.columns, temperature: temperature, scale: scale)
      }
    }
  }
  return losses
}

private func divergence(
  _ logits: UnsafeMutablePointer<Float>, _ scores: UnsafePointer<Float>, count: Int, temperature: Float,
  scale: Float
) -> Float {
  let z = UnsafePointer(logits)
  let (ownMost, ownSum) = partition(z, count, temperature)
  let (most, sum) = partition(scores, count, temperature)
  let (ownLog, log) = (Float(Foundation.log(ownSum)), Float(Foundation.log(sum)))
  var loss = 0.0
  for place in 0..<count {
    let q = (logits[place] - ownMost) / temperature - ownLog
    let p = (scores[place] - most) / temperature - log
    let share = expf(p)
    loss += Double(share * (p - q))
    logits[place] = temperature * (expf(q) - share) * scale
  }
  return temperature * temperature * Float(loss)
}

/// The largest of some scores, and Σ e^((s − largest) / T).
private func partition(
  _ scores: UnsafePointer<Float>, _ count: Int, _ temperature: Float
) -> (most: Float, sum: Double) {
  var most = -Float.infinity
  for place in 0..<count { most = max(most, scores[place]) }
  var sum = 0.0
  for place in 0..<count { sum += Double(expf((scores[place] - most) / temperature)) }
  return (most, sum)
}
