internal import Foundation
internal import Support

/// The folder that a run writes into.
package struct RunFolder {
  /// As it was given.
  package let path: String

  /// A folder that may be there or not.
  package init(_ path: String) { self.path = path }

  /// Tries whether it can be made and written into, before anything is read, and leaves everything as it is.
  package func check() throws {
    guard !path.isEmpty else { throw refusal("expected a path, found none") }
    var there = URL(fileURLWithPath: path)
    while !FileManager.default.fileExists(atPath: there.path), there.path != "/" {
      there.deleteLastPathComponent()
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: there.path, isDirectory: &isFolder), isFolder.boolValue
    else { throw refusal("\(there.path) is no folder") }
    guard !FileManager.default.fileExists(atPath: path) else { return }
    do { try AtomicFile.check(there.path + "/.captioner-" + UUID().uuidString) } catch {
      throw refusal(error.reason)
    }
  }

  /// Makes it if need be and keeps other runs out of it while what it returns lives.
  package func open() throws -> RunLock {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw refusal(error.localizedDescription)
    }
    let lock = try RunLock(path)
    removeLeftovers(in: path)
    return lock
  }

  private func refusal(_ reason: String) -> TrainingError { .folder(path: path, reason: reason) }
}

/// A folder that is kept from other runs.
package final class RunLock {
  private let descriptor: Int32

  fileprivate init(_ folder: String) throws {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(path: folder, action: "open", errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw TrainingError.busy(path: folder)
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
