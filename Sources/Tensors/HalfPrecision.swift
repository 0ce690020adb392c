internal import CKernels

/// Writes floats in IEEE half precision, rounded to nearest; what is too large becomes the largest number it has,
/// 65504, so that finite stays finite.
public func convertToHalf(
  _ source: UnsafePointer<Float>, count: Int, into halves: UnsafeMutablePointer<UInt16>
) {
  ck_kernels_best()!.pointee.float_to_half(source, halves, count)
  for i in 0..<count where halves[i] & 0x7FFF == 0x7C00 && source[i].isFinite { halves[i] -= 1 }
}
