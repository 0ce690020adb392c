internal import Glibc

/// Starts a thread that runs `body` and ends with it, or says that the system gives none: too many run already
/// (`ulimit -u`), or there is no memory for its stack of 2 MB.
///
/// SIGINT, SIGTERM and SIGHUP are kept from it: oneDNN's kernels use the stack pointer for memory of their own, which a
/// handler's frame would overwrite.
/// - Returns: whether the thread runs; if not, `body` is never called.
public func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  var attributes = pthread_attr_t()
  guard pthread_attr_init(&attributes) == 0 else { return false }
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setstacksize(&attributes, 1 << 21)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))

  let work = Unmanaged.passRetained(Work(body))
  var thread = pthread_t()
  let code = withoutEndingSignals {
    pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
  }
  if code != 0 { work.release() }
  return code == 0
}

/// Runs what starts threads that are to be left alone by SIGINT, SIGTERM and SIGHUP: a thread begins with the mask of the one
/// that makes it.
package func withoutEndingSignals<Result>(_ body: () -> Result) -> Result {
  var blocked = sigset_t()
  var before = sigset_t()
  sigemptyset(&blocked)
  sigaddset(&blocked, SIGINT)
  sigaddset(&blocked, SIGTERM)
  sigaddset(&blocked, SIGHUP)
  pthread_sigmask(SIG_BLOCK, &blocked, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  return body()
}

/// What a thread does, as an object that a pointer can lead to.
private final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
