internal import Support
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// A run of floats that tensors share: allocated on a 64-byte boundary, lying in a mapped file, or to be converted from
/// what lies there.
///
/// `@unchecked Sendable`: the memory is written only through a `Tensor` that has made sure that it is the
/// storage's sole owner (copy on write), and a mapped file is never written.
final class Storage: @unchecked Sendable {
  /// Nil until a stored tensor is wanted as floats.
  private let memory: Atomic<UnsafeMutablePointer<Float>?>
  let count: Int
  /// The mapped file that holds the memory; nil when the memory is this object's own.
  let file: MappedFile?
  /// What the floats are to be converted from; nil when they are there.
  let stored: StoredTensor?
  private let conversion = Mutex(())

  var base: UnsafeMutablePointer<Float> { memory.load(ordering: .acquiring) ?? converted() }

  /// Whether only tensors that share it may read it: it isn't its own, or has another source beside the memory.
  var isReadOnly: Bool { file != nil || stored != nil }

  /// The size of the kernel's huge pages.
  private static let hugePage = 1 << 21

  /// Uninitialised memory of its own.
  init(count: Int) {
    memory = Atomic(Self.allocate(count))
    self.count = count
    file = nil
    stored = nil
  }

  /// The floats of a stored tensor, converted when they are first wanted.
  init(_ stored: StoredTensor) {
    memory = Atomic(nil)
    count = stored.shape.count
    file = nil
    self.stored = stored
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    // An extra float keeps the pointer real when count is zero.
    let byteCount = max(count, 1) * 4
    let isLarge = byteCount >= 2 * hugePage
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? hugePage : 64)
    #if canImport(Glibc)
      // A fresh page costs a fault at its first touch: 512 times fewer of them, and fewer misses of the TLB.
      if isLarge { madvise(raw, byteCount, MADV_HUGEPAGE) }
    #endif
    return raw.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  private func converted() -> UnsafeMutablePointer<Float> {
    conversion.withLock { _ in
      if let base = memory.load(ordering: .acquiring) { return base }
      let base = Self.allocate(count)
      stored?.read(0..<count, into: base)
      memory.store(base, ordering: .releasing)
      return base
    }
  }

  /// Floats inside a mapped file. `byteOffset` is a multiple of 4; the range lies inside the file.
  init(file: MappedFile, byteOffset: Int, count: Int) {
    precondition(byteOffset % 4 == 0 && byteOffset + count * 4 <= file.bytes.count)
    let start = UnsafeMutableRawPointer(mutating: file.bytes.baseAddress!.advanced(by: byteOffset))
    memory = Atomic(start.bindMemory(to: Float.self, capacity: count))
    self.count = count
    self.file = file
    stored = nil
  }

  deinit { if file == nil { UnsafeMutableRawPointer(memory.load(ordering: .acquiring))?.deallocate() } }
}
