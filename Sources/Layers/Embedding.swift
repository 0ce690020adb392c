public import Kernels
public import Tensors

/// y = W[word], W [V, E].
public struct Embedding: Module {
  /// W [V, E].
  public var weight: Parameter

  /// `path`.weight uniform in ±0.1 at first.
  public init<E: Error>(
    _ path: String, vocabularySize: Int, size: Int, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    weight = try Parameter(path + ".weight", [vocabularySize, size], .uniform(0.1), from: source)
  }

  /// V.
  public var vocabularySize: Int { weight.value.shape[0] }
  /// E.
  public var size: Int { weight.value.shape[1] }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try visit(&weight)
  }

  /// y [rows, E] = W[words]; each word is in 0..<V.
  public func forward(_ words: UnsafePointer<Int32>, into y: MutableMatrix, on device: Device) {
    gatherRows(words, of: weight.value.matrix, into: y, on: device)
  }

  /// δW[word] = Σ δy over the rows of δy [rows, E] that hold the word, in order; other words' rows are zero.
  public mutating func backward(_ words: UnsafePointer<Int32>, _ dy: Matrix, on device: Device) {
    let dW = MutableMatrix(weight.gradientPointer(), rows: vocabularySize, columns: size)
    scatterAdd(dy, to: words, into: dW, on: device)
  }
}
