public import Tensors

/// The largest |a − b| of two lists; infinite where there is nothing to compare: none, or not as many.
public func absoluteError<Number: BinaryFloatingPoint>(_ a: [Number], _ b: [Number]) -> Number {
  guard !a.isEmpty, a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { worst, pair in
    let difference = abs(pair.0 - pair.1)
    return difference <= worst ? worst : difference.isNaN ? .infinity : difference
  }
}

/// ‖a − b‖₂ / ‖b‖₂, computed in double precision; infinite where there is nothing to compare.
public func relativeError(_ a: [Float], _ b: [Float]) -> Double {
  precondition(a.count == b.count, "\(a.count) scalars against \(b.count)")
  if a.isEmpty { return .infinity }
  var difference = 0.0
  var norm = 0.0
  for (x, y) in zip(a, b) {
    difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
    norm += Double(y) * Double(y)
  }
  return norm == 0 ? difference.squareRoot() : (difference / norm).squareRoot()
}

/// ‖a − b‖₂ / ‖b‖₂ of two tensors of one shape.
public func relativeError(_ a: Tensor, _ b: Tensor) -> Double {
  precondition(a.shape == b.shape, "\(a.shape) against \(b.shape)")
  return relativeError(a.scalars, b.scalars)
}
