internal import Glibc

/// What happens when the system gives no more memory: neither Swift nor C++ libraries can go on, and abort.
public enum OutOfMemory {
  /// What took the signal before: it writes a trace. Set once, before there are other threads.
  private nonisolated(unsafe) static var before = sigaction()

  /// From now on an allocation that fails ends the process with a line that says so and status 1, rather than by SIGABRT
  /// with a trace; other aborts are as ever. For programs, at their start.
  public static func endCleanly() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      // Nothing but system calls here. The failed allocation's errno is still there.
      guard errno == ENOMEM else {
        sigaction(SIGABRT, &OutOfMemory.before, nil)
        raise(SIGABRT)
        return
      }
      let line: StaticString =
        "captioner: out of memory: fewer --threads, smaller photos or a smaller batch take less\n"
      line.withUTF8Buffer { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      _exit(1)
    }
    sigaction(SIGABRT, &action, &before)
  }
}
