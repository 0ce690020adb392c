public import Kernels
public import Tensors

/// Names what a photo shows, in words that captions use too: a class is where its words are in the vocabulary projection,
/// so that learning to name a thing is learning to say its word.
///
///     logits = (M v) · c_k,  c_k = mean of W_out[word] over the words of label k,  loss = −mean log softmax(logits)[label]
///
/// W_out learns from it as M does. It is of use in training only.
public struct LabelClassifier: Module {
  /// M [H, D].
  public var map: Linear
  /// The words of each label (K), none without.
  public let words: [[Int32]]

  /// `path`.weight.
  public init<E: Error>(
    _ path: String, features: Int, hidden: Int, words: [[Int32]],
    from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    precondition(words.allSatisfy { !$0.isEmpty })
    map = try Linear(path, inputs: features, outputs: hidden, bias: false, from: source)
    self.words = words
  }

  /// Calls `visit` with M.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try map.visitParameters(visit)
  }

  /// Forward and backward: writes the gradients of `weight`·loss by M and v, and adds that of W_out to `output`'s.
  /// - Parameters:
  ///   - v: [n, D].
  ///   - labels: [n], each in 0..<K.
  ///   - output: W_out [V, H].
  ///   - dv: [n, D].
  /// - Returns: the loss.
  public mutating func forwardBackward(
    _ v: Matrix, labels: [Int32], weight: Float, output: inout Parameter, dv: MutableMatrix,
    on device: Device
  ) -> Double {
    let (rows, hidden, scale) = (v.rows, map.outputs, 1 / Float(max(1, v.rows)))
    precondition(labels.count == rows && output.value.shape[1] == hidden)
    var classes = means(of: output.value)
    var mapped = Tensor(uninitialized: [rows, hidden])
    var logits = Tensor(uninitialized: [rows, words.count])
    let (c, q, z) = (classes.mutableMatrix(), mapped.mutableMatrix(), logits.mutableMatrix())
    map.product(v, into: q, on: device)
    multiply(.plain(Matrix(q)), .transposed(Matrix(c)), into: z, on: device)
    var logProbs = [Float](repeating: 0, count: rows)
    logProbs.withUnsafeMutableBufferPointer { logProbs in
      guard let base = logProbs.baseAddress else { return }
      softmaxCrossEntropy(
        z, bias: nil, targets: labels, gradient: .init(scale: weight * scale), into: base, on: device)
    }
    if weight == 0 { z.base.update(repeating: 0, count: z.rows * z.columns) }
    var (mappedGradients, classGradients) = (
      Tensor(uninitialized: mapped.shape), Tensor(zeros: classes.shape)
    )
    let (dq, dc) = (mappedGradients.mutableMatrix(), classGradients.mutableMatrix())
    multiply(.plain(Matrix(z)), .plain(Matrix(c)), into: dq, on: device)
    multiply(.transposed(Matrix(z)), .plain(Matrix(q)), into: dc, on: device)
    map.backward(v, Matrix(dq), into: dv, on: device)
    let gradient = output.gradientPointer()
    for (label, words) in words.enumerated() {
      for word in words {
        addScaled(
          count: hidden, 1 / Float(words.count), dc[label], to: gradient + Int(word) * hidden, on: device)
      }
    }
    return withExtendedLifetime((classes, mapped, logits, mappedGradients, classGradients)) {
      -logProbs.reduce(0.0) { $0 + Double($1) } * Double(scale)
    }
  }

  /// c [K, H].
  private func means(of output: Tensor) -> Tensor {
    let hidden = map.outputs
    var result = Tensor(zeros: [words.count, hidden])
    let memory = result.mutableMatrix()
    output.withUnsafeBufferPointer { rows in
      for (label, words) in words.enumerated() {
        for word in words {
          for column in 0..<hidden {
            memory[label][column] += rows[Int(word) * hidden + column] / Float(words.count)
          }
        }
      }
    }
    return result
  }
}
