public import Kernels
internal import Tensors

/// Scratch memory that is kept between batches: it grows, and never shrinks.
public struct Buffer: Sendable {
  private var memory = Tensor(uninitialized: [0])

  /// No memory yet.
  public init() {}

  /// Room for `count` scalars, undefined when it had to grow; valid until the next call or the buffer's end.
  public mutating func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    if memory.count < count { memory = Tensor(uninitialized: [count]) }
    return memory.mutablePointer()
  }

  /// Room for a matrix [rows, columns], valid as that of the scalars is.
  public mutating func reserve(_ rows: Int, _ columns: Int) -> MutableMatrix {
    MutableMatrix(reserve(rows * columns), rows: rows, columns: columns)
  }

  /// Room for maps, valid as that of the scalars is.
  public mutating func reserve(_ shape: MapShape) -> MutableMaps { MutableMaps(reserve(shape.count), shape) }

  /// What was reserved and written.
  public var pointer: UnsafePointer<Float> { memory.pointer }
}
