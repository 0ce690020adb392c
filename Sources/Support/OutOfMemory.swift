internal import Glibc

/// What happens when the system gives no more memory: neither Swift nor libraries in C and C++ can go on. They abort, trap,
/// or follow a pointer to nothing; or the stack can't grow.
public enum OutOfMemory {
  /// What took the signals before: it writes a trace. Set once, before there are other threads.
  private nonisolated(unsafe) static var before: (abort: sigaction, fault: sigaction, trap: sigaction) = (
    .init(), .init(), .init()
  )

  /// From now on memory that runs out ends the process with a line that says so and status 1, rather than by a signal
  /// with a trace; what else sends these signals is as ever. For programs, at their start, on the main thread.
  public static func endCleanly() {
    // A handler needs a stack, and where it is the stack that can't grow there is none left.
    let size = 1 << 16
    var stack = stack_t()
    stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    stack.ss_size = size
    sigaltstack(&stack, nil)
    var action = sigaction()
    action.sa_flags = SA_ONSTACK
    action.__sigaction_handler.sa_handler = { signal in OutOfMemory.handle(signal) }
    sigaction(SIGABRT, &action, &before.abort)
    sigaction(SIGSEGV, &action, &before.fault)
    sigaction(SIGILL, &action, &before.trap)
  }

  /// Nothing but system calls.
  private static func handle(_ signal: Int32) {
    // A trap says nothing of the last system call.
    if signal != SIGILL && errno == ENOMEM || !isMemoryLeft {
      let line: StaticString =
        "captioner: out of memory: fewer --threads, smaller photos or a smaller batch take less\n"
      line.withUTF8Buffer { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      _exit(1)
    }
    // A fault or a trap comes again when the instruction is tried again.
    switch signal {
    case SIGABRT:
      sigaction(SIGABRT, &before.abort, nil)
      raise(SIGABRT)
    case SIGILL: sigaction(SIGILL, &before.trap, nil)
    default: sigaction(SIGSEGV, &before.fault, nil)
    }
  }

  private static var isMemoryLeft: Bool {
    let size = 64 << 20
    let probe = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard probe != MAP_FAILED else { return false }
    munmap(probe, size)
    return true
  }
}
