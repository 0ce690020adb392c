internal import Support

#if canImport(Glibc)
  internal import Glibc
#endif

/// A run of floats that tensors share: allocated on a 64-byte boundary, or lying in a mapped file.
///
/// `@unchecked Sendable`: the memory is written only through a `Tensor` that has made sure that it is the
/// storage's sole owner (copy on write), and a mapped file is never written.
final class Storage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  /// The mapped file that holds the memory; nil when the memory is this object's own.
  let file: MappedFile?

  /// The size of the kernel's huge pages.
  private static let hugePage = 1 << 21

  /// Uninitialised memory of its own.
  init(count: Int) {
    // An extra float keeps the pointer real when count is zero.
    let byteCount = max(count, 1) * 4
    let isLarge = byteCount >= 2 * Self.hugePage
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? Self.hugePage : 64)
    #if canImport(Glibc)
      // A fresh page costs a fault at its first touch: 512 times fewer of them, and fewer misses of the TLB.
      if isLarge { madvise(raw, byteCount, MADV_HUGEPAGE) }
    #endif
    base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    file = nil
  }

  /// Floats inside a mapped file. `byteOffset` is a multiple of 4; the range lies inside the file.
  init(file: MappedFile, byteOffset: Int, count: Int) {
    precondition(byteOffset % 4 == 0 && byteOffset + count * 4 <= file.bytes.count)
    let start = UnsafeMutableRawPointer(mutating: file.bytes.baseAddress!.advanced(by: byteOffset))
    base = start.bindMemory(to: Float.self, capacity: count)
    self.count = count
    self.file = file
  }

  deinit { if file == nil { UnsafeMutableRawPointer(base).deallocate() } }
}
