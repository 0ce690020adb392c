public import Kernels
public import Layers
internal import Tensors

/// A recurrent network that reads a text token by token and says at each what may follow:
///
///     p(next) = softmax(W_hy hₜ + b),  hₜ of the top layer of recurrent ones, the lowest of which reads the token
///
/// as a row of an embedding, or as one of V inputs that is 1 where the others are 0.
public protocol LanguageNetwork: Module {
  /// What the recurrent layers are made of.
  associatedtype Cell: RecurrentCell
  /// A row for each token; nil: the lowest layer reads which it is of V.
  var embedding: Embedding? { get set }
  /// The recurrent layers.
  var stack: RecurrentStack<Cell> { get set }
  /// h to the tokens' scores.
  var output: SoftmaxProjection { get set }
}

extension LanguageNetwork {
  /// V.
  public var vocabularySize: Int { output.linear.outputs }
  /// What the lowest layer reads: E, or V.
  var inputs: Int { stack.layers[0].inputs }

  /// Calls `visit` with each parameter in order.
  public mutating func visitParameters<E: Error>(_ visit: (inout Parameter) throws(E) -> Void) throws(E) {
    try embedding?.visitParameters(visit)
    try stack.visitParameters(visit)
    try output.visitParameters(visit)
  }

  /// What the lowest layer reads of tokens; `memory` holds it where they are rows of an embedding.
  func input(_ tokens: [Int32], in memory: inout Buffer, on device: Device) -> any LayerInput {
    guard embedding != nil else { return OneHot(tokens) }
    let x = memory.reserve(tokens.count, inputs)
    readInputs(tokens, into: x, on: device)
    return Matrix(x)
  }

  /// The same as vectors x [count, inputs].
  func readInputs(_ tokens: [Int32], into x: MutableMatrix, on device: Device) {
    if let embedding {
      tokens.withUnsafeBufferPointer { tokens in
        guard let tokens = tokens.baseAddress else { return }
        embedding.forward(tokens, into: x, on: device)
      }
      return
    }
    x.base.update(repeating: 0, count: x.rows * x.columns)
    for (row, token) in tokens.enumerated() { x[row][Int(token)] = 1 }
  }
}

/// The one network there is, of any cell.
public struct RecurrentLanguageModel<Cell: RecurrentCell>: LanguageNetwork {
  /// A row for each token.
  public var embedding: Embedding?
  /// The recurrent layers.
  public var stack: RecurrentStack<Cell>
  /// h to the tokens' scores.
  public var output: SoftmaxProjection

  /// Parameters `embedding.weight`, `layers.weight_xh` and so on (`layers1` of the second), `output.weight`, `output.bias`.
  init<E: Error>(
    _ description: LanguageModelDescription, from source: (ParameterSpecification) throws(E) -> Tensor
  ) throws(E) {
    let count = description.vocabulary.count
    let size = description.embeddingSize
    if size > 0 {
      embedding = try Embedding("embedding", vocabularySize: count, size: size, from: source)
    }
    stack = try RecurrentStack(
      "layers", inputs: size > 0 ? size : count, hidden: description.hiddenSize,
      layers: description.layers, isResidual: description.isResidual, from: source)
    output = try SoftmaxProjection(
      "output", hidden: description.hiddenSize, vocabularySize: count, from: source)
  }
}
