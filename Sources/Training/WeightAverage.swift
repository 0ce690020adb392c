package import Kernels
package import Layers
package import Tensors

/// An exponential moving average of all weights (Polyak & Juditsky 1992): what is validated and saved, since it
/// generalises better than where the last step happens to have landed.
package struct WeightAverage: Sendable {
  /// The averages by the parameter's path; empty when there is no averaging.
  package private(set) var values: [String: Tensor]
  private let decay: Double

  /// Begins at the weights as they are; decay 0 means no averaging.
  package init(of module: some Module, decay: Double) {
    self.decay = decay
    values = [:]
    if decay > 0 { for parameter in module.parameters { values[parameter.path] = parameter.value } }
  }

  /// Takes in the weights after step `step` (from 1), or a part of each. Early on the past counts for less: it is the initial
  /// noise.
  package mutating func update(
    with module: inout some Module, step: Int, part: (Int) -> Range<Int> = { 0..<$0 }, on device: Device
  ) {
    guard decay > 0 else { return }
    let kept = Float(min(decay, Double(1 + step) / Double(10 + step)))
    module.visitParameters { parameter in
      // Taken out while it changes, so that it has one owner and is not copied.
      guard var average = values.removeValue(forKey: parameter.path) else { return }
      let part = part(average.count)
      updateMovingAverage(
        count: part.count, average: average.mutablePointer() + part.lowerBound,
        of: parameter.value.pointer + part.lowerBound, decay: kept, on: device)
      values[parameter.path] = average
    }
  }

  /// Calls `visit` with each average, in order.
  mutating func visit<E: Error>(_ visit: (inout Tensor) throws(E) -> Void) throws(E) {
    for path in values.keys.sorted() {
      guard var average = values.removeValue(forKey: path) else { continue }
      try visit(&average)
      values[path] = average
    }
  }

  /// The module with the averages as its weights; itself when there is no averaging.
  package func applied<M: Module>(to module: M) -> M {
    var copy = module
    copy.visitParameters { parameter in
      if let average = values[parameter.path] { parameter.value = average }
      parameter.dropGradient()
    }
    return copy
  }

  /// Goes on where another left off: as a checkpoint kept it.
  package mutating func restore(_ values: [String: Tensor]) { self.values.merge(values) { $1 } }
}
