internal import Tensors
internal import WeightFiles

/// The tensors of another project's decoder by their names, each asked for by its shape.
struct ForeignTensors {
  private let entries: [String: NamedTensors.Entry]
  private let files: CaptionerFiles
  /// Names that nobody has asked for.
  private(set) var leftOver: Set<String>

  /// Those of a file; of two that have one name the last counts.
  init(_ entries: [NamedTensors.Entry], _ files: CaptionerFiles) {
    self.entries = Dictionary(entries.map { ($0.name, $0) }) { $1 }
    self.files = files
    leftOver = Set(self.entries.keys)
  }

  /// The shape of one; nil: there is none of that name.
  func shape(_ name: String) -> Shape? { entries[name]?.shape }

  /// One of a rank.
  /// - Throws: `ModelError.unsupported` when it is missing or of another.
  func shape(_ name: String, rank: Int) throws(ModelError) -> Shape {
    guard let shape = shape(name), shape.rank == rank, shape.count > 0 else {
      throw files.unsupported(
        "\(name) of \(rank) dimensions", shape(name).map { "shape \($0)" } ?? "none")
    }
    return shape
  }

  /// Leaves one out that changes nothing, such as a number that is added to everything before a softmax.
  mutating func leaveOut(_ name: String) { leftOver.remove(name) }

  /// The scalars of one.
  /// - Throws: `ModelError.unsupported` when it is missing or of another shape.
  mutating func read(_ name: String, _ shape: Shape) throws(ModelError) -> Tensor {
    guard let entry = entries[name], entry.shape == shape else {
      throw files.unsupported(
        "\(name) of shape \(shape)", entries[name].map { "shape \($0.shape)" } ?? "none")
    }
    leftOver.remove(name)
    do { return try entry.read() } catch { throw .foreign(error) }
  }
}

extension Tensor {
  /// Some rows of a matrix.
  func block(_ range: Range<Int>) -> Tensor { copied(rows: Array(range)) }

  /// Some columns of a matrix.
  func columns(_ range: Range<Int>) -> Tensor {
    let (rows, width) = (shape[0], shape[1])
    precondition(shape.rank == 2 && range.upperBound <= width)
    var result = Tensor(uninitialized: [rows, range.count])
    let scalars = result.mutablePointer()
    return withExtendedLifetime(self) {
      for row in 0..<rows {
        (scalars + row * range.count).update(
          from: pointer + row * width + range.lowerBound, count: range.count)
      }
      return result
    }
  }

  /// Blocks of as many rows, in another order: gates [i, f, g, o] as [i, f, o, g], of a matrix or a vector.
  func gates(_ order: [Int]) -> Tensor {
    let matrix = reshaped([order.count, count / order.count])
    return matrix.copied(rows: order).reshaped(shape)
  }

  /// The sum with one of as many scalars.
  func adding(_ other: Tensor) -> Tensor { mapped(other) { $0 + $1 } }

  /// max(0, x) of each.
  var rectified: Tensor { mapped(self) { max(0, $1) } }

  private func mapped(_ other: Tensor, _ transform: (Float, Float) -> Float) -> Tensor {
    precondition(count == other.count)
    return Tensor(zip(scalars, other.scalars).map(transform), shape)
  }

  /// The product with a matrix: [rows, K] · [K, columns], summed in double precision.
  func product(_ other: Tensor) -> Tensor {
    let (rows, inner, columns) = (shape[0], shape[1], other.shape[1])
    precondition(other.shape[0] == inner)
    var result = Tensor(uninitialized: [rows, columns])
    let scalars = result.mutablePointer()
    var sums = [Double](repeating: 0, count: columns)
    withExtendedLifetime((self, other)) {
      for row in 0..<rows {
        for column in 0..<columns { sums[column] = 0 }
        for k in 0..<inner {
          let factor = Double(pointer[row * inner + k])
          let values = other.pointer + k * columns
          for column in 0..<columns { sums[column] += factor * Double(values[column]) }
        }
        for column in 0..<columns { scalars[row * columns + column] = Float(sums[column]) }
      }
    }
    return result
  }
}
