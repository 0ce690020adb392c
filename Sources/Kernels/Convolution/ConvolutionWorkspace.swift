internal import Synchronization
internal import Tensors

/// Memory that convolutions use between them and keep from call to call; one caller at a time.
///
/// `@unchecked Sendable`: it is handed from one `convolve` to the next, never used by two at once.
public final class ConvolutionWorkspace: @unchecked Sendable {
  private var memory = Tensor(uninitialized: [0])
  private var map = Tensor(uninitialized: [0])
  private var transformed = Tensor(uninitialized: [0])

  /// An empty workspace; it grows as layers need.
  public init() {}

  /// `threads` stretches of `floats` floats each, contents undefined.
  func scratch(floats: Int, threads: Int) -> UnsafeMutablePointer<Float> {
    if memory.count < floats * threads { memory = Tensor(uninitialized: [floats * threads]) }
    return memory.mutablePointer()
  }

  /// Room for a map that outlives the scratch of the kernels that make or read it.
  func map(floats: Int) -> UnsafeMutablePointer<Float> {
    if map.count < floats { map = Tensor(uninitialized: [floats]) }
    return map.mutablePointer()
  }

  /// Room for transformed weights, beside the scratch.
  func transformed(floats: Int) -> UnsafeMutablePointer<Float> {
    if transformed.count < floats { transformed = Tensor(uninitialized: [floats]) }
    return transformed.mutablePointer()
  }
}

/// Hands out the numbers 0..<count, each that of a stretch of scratch memory, to as many threads at a time: which of them
/// holds which number is arbitrary.
final class SlotAllocator: Sendable {
  private let free: Mutex<[Int]>

  init(count: Int) { free = Mutex(Array(0..<count)) }

  func take() -> Int { free.withLock { $0.removeLast() } }
  func give(_ slot: Int) { free.withLock { $0.append(slot) } }
}
