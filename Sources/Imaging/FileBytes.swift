internal import Glibc

/// The bytes of a file, in memory of their own: where there is none to be had it is an error, not the end.
struct FileBytes: ~Copyable {
  private(set) var memory: UnsafeMutableRawPointer?
  private(set) var count = 0
  private var capacity = 0

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

  deinit { free(memory) }

  /// Reads on until there are `wanted` bytes or the file, which errors call `name`, ends.
  /// - Throws: `ImageError.unreadable`
  mutating func read(_ descriptor: Int32, upTo wanted: Int, name: String) throws(ImageError) {
    while count < wanted {
      if count == capacity {
        // Large blocks are remapped by the C library, not copied.
        let larger = min(wanted, max(1 << 16, capacity * 2))
        guard let grown = realloc(memory, larger) else {
          throw .unreadable(path: name, reason: "out of memory")
        }
        memory = grown
        capacity = larger
      }
      let got = Glibc.read(descriptor, memory! + count, capacity - count)
      if got < 0, errno == EINTR { continue }
      if got < 0, errno == EAGAIN {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, -1)
        continue
      }
      if got < 0 { throw .unreadable(path: name, reason: ImageFiles.lastError()) }
      if got == 0 { return }
      count += got
    }
  }
}
