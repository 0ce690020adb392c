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

  /// What was reserved and written.
  public var pointer: UnsafePointer<Float> { memory.pointer }
}
