internal import CKernels

/// The numbers that large matrix products multiply.
public enum Arithmetic: String, Sendable, Codable, CaseIterable {
  /// Single precision throughout.
  case float32
  /// Factors rounded to bfloat16, sums in single precision: about twice as fast where the CPU has instructions for it.
  case bfloat16

  /// Whether this CPU, as far as `CAPTIONER_ISA` lets it, multiplies bfloat16.
  public var isAvailable: Bool { self == .float32 || Self.hasBFloat }

  /// What to tell people who want it where it is not available; nil where it is.
  public var problem: String? {
    isAvailable ? nil : "expected float32, this CPU can't multiply bfloat16, found \(rawValue)"
  }

  private static let hasBFloat: Bool = {
    guard InstructionSet.current.description == "avx512", ck_has_avx512_bf16() != 0 else { return false }
    return bfloatProductIsKnown()
  }()
}
