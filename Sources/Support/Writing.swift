internal import Glibc

/// Writes all bytes to a descriptor, however many calls it takes: a disk that fills up takes a part first, and a pipe
/// that does not wait (`O_NONBLOCK`) is waited for.
/// - Parameters:
///   - offset: where in the file; where it stands unless given.
///   - path: the file's name in errors.
/// - Throws: `FileError`.
public func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil, path: String
) throws(FileError) {
  var done = 0
  while done < bytes.count {
    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
    let written =
      if let offset {
        pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      } else {
        write(descriptor, rest.baseAddress, rest.count)
      }
    if written < 0 && errno == EINTR { continue }
    if written < 0 && errno == EAGAIN {
      var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&ready, 1, -1)
      continue
    }
    guard written > 0 else { throw FileError(path: path, action: "write", errno: errno) }
    done += written
  }
}

/// Writes a string as UTF-8, as the other does bytes.
/// - Throws: `FileError`.
public func writeAll(_ text: String, to descriptor: Int32, path: String) throws(FileError) {
  try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(FileError) in
    try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
  }
}

/// Writes text to standard error; what can't be written is lost, and a pipe that nobody reads ends nothing.
public func writeToStandardError(_ text: String) {
  withoutBrokenPipes { try? writeAll(text, to: STDERR_FILENO, path: "standard error") }
}

/// Calls `body`, in which writing to a pipe that nobody reads is an error like others instead of the process's end by
/// SIGPIPE.
public func withoutBrokenPipes<R>(_ body: () throws -> R) rethrows -> R {
  var pipe = sigset_t()
  var before = sigset_t()
  sigemptyset(&pipe)
  sigaddset(&pipe, SIGPIPE)
  pthread_sigmask(SIG_BLOCK, &pipe, &before)
  defer {
    // The signal is this thread's; one that came must not arrive after all.
    var moment = timespec()
    while sigtimedwait(&pipe, nil, &moment) > 0 {}
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
  return try body()
}
