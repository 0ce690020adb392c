internal import CKernels

/// What computes: the threads, the vector instructions, and what large products multiply.
///
/// Every kernel and layer takes one, and none has a default below the models: a device that is forgotten on the way
/// would be a wrong number of threads, or float32 where bfloat16 was asked for.
public struct Device: Sendable {
  /// The threads that share the work.
  public let pool: ThreadPool
  /// The vector instructions.
  public let instructions: InstructionSet
  /// What products of 8 million terms and more multiply.
  public let arithmetic: Arithmetic

  /// A device; this process's pool and this CPU's best instructions unless told otherwise. bfloat16 is float32 where this
  /// CPU has not got it.
  public init(
    pool: ThreadPool = .shared, instructions: InstructionSet = .current, arithmetic: Arithmetic = .float32
  ) {
    self.pool = pool
    self.instructions = instructions
    self.arithmetic = arithmetic.isAvailable ? arithmetic : .float32
  }

  /// All of this CPU, in float32.
  public static let cpu = Device()

  /// The same threads and instructions, multiplying other numbers.
  public func multiplying(_ arithmetic: Arithmetic) -> Device {
    Device(pool: pool, instructions: instructions, arithmetic: arithmetic)
  }

  /// The C functions of these instructions.
  var kernels: ck_kernels { instructions.table.pointer.pointee }
}
