internal import CKernels
internal import COneDNN
internal import Foundation

/// The vector instructions that the kernels use: the best of this CPU, or what `CAPTIONER_ISA` names.
public struct InstructionSet: Sendable, CustomStringConvertible {
  /// `@unchecked Sendable`: the table is constant.
  struct Table: @unchecked Sendable { let pointer: UnsafePointer<ck_kernels> }
  let table: Table

  /// `baseline`, `avx2` or `avx512`.
  public var description: String { String(cString: table.pointer.pointee.name) }

  /// The instruction set of that name; nil when unknown or when this CPU lacks it.
  public init?(named name: String) {
    guard let pointer = ck_kernels_named(name) else { return nil }
    table = Table(pointer: pointer)
  }

  private init(best: Void) { table = Table(pointer: ck_kernels_best()) }

  /// All that this CPU runs, slowest first.
  public static var available: [InstructionSet] {
    ["baseline", "avx2", "avx512"].compactMap(Self.init(named:))
  }

  /// The one in use in this process. An unknown `CAPTIONER_ISA` is ignored here; `captioner` refuses it at start.
  public static let current: InstructionSet = {
    guard let name = ProcessInfo.processInfo.environment["CAPTIONER_ISA"], let chosen = Self(named: name)
    else {
      return Self(best: ())
    }
    // oneDNN takes the limit only before its first kernel is made; SSE4.1 is the least it knows.
    switch name {
    case "avx2": dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2)
    case "baseline": dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41)
    default: break
    }
    return chosen
  }()
}
