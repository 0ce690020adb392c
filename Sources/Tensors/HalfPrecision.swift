internal import CKernels

/// Writes floats as a type of two bytes a scalar, rounded to nearest, ties to even. In IEEE half precision what is too
/// large becomes the largest number it has, 65504, so that finite stays finite.
/// - Parameters:
///   - source: `count` floats.
///   - halves: room for as many scalars.
///   - type: `.float16` or `.bfloat16`.
public func convert(
  _ source: UnsafePointer<Float>, count: Int, to type: StoredType,
  into halves: UnsafeMutablePointer<UInt16>
) {
  let kernels = ck_kernels_best()!.pointee
  switch type {
  case .float32: preconditionFailure("floats are not rounded to floats")
  case .bfloat16: kernels.float_to_bfloat(source, halves, count)
  case .float16:
    kernels.float_to_half(source, halves, count)
    for i in 0..<count where halves[i] & 0x7FFF == 0x7C00 && source[i].isFinite { halves[i] -= 1 }
  }
}
