internal import Glibc

/// What a command is going to write, tried before any work: each destination can be written, and is neither a file that
/// is read nor another destination.
///
/// Files are told apart by device and inode, not by name: `a`, `./a` and a link to it are one.
public struct Outputs {
  private var inputs: [Identity: String] = [:]
  private var outputs: [Identity: String] = [:]

  /// Destinations beside files that are read; those that are not there are left to whoever reads them.
  public init(readingFrom inputs: [String] = []) {
    for path in inputs {
      if let identity = Identity(path) { self.inputs[identity] = path }
    }
  }

  /// Another destination.
  /// - Parameter option: what the user called it by, as `--output`.
  /// - Throws: `FileError`.
  public mutating func add(_ path: String, _ option: String) throws(FileError) {
    func refusal(_ reason: String) -> FileError {
      FileError(path: path, action: "write", reason: "\(reason); choose another file for \(option)")
    }
    // Made first: where there is no such file, its folder and name tell it apart.
    try AtomicFile.check(path)
    guard let identity = Identity(path) ?? Identity(unmade: path) else {
      throw FileError(path: path, action: "write", errno: ENOENT)
    }
    if let input = inputs[identity] {
      throw refusal(input == path ? "it is read" : "it is \(input), which is read")
    }
    if let other = outputs.updateValue(option, forKey: identity) {
      throw refusal("\(other) is the same file")
    }
  }

  /// A folder that is to be written into must not be one that is read from; one that is not there is fine.
  /// - Throws: `FileError`.
  public func checkFolder(_ path: String, _ option: String) throws(FileError) {
    guard let identity = Identity(path), let input = inputs[identity] else { return }
    throw FileError(
      path: path, action: "write into it", reason: "images are read from \(input); choose another \(option)")
  }
}

/// A file, whatever it is called.
private struct Identity: Hashable {
  let device: UInt64
  let inode: UInt64
  /// The name in the folder that device and inode are of; empty for a file that is there.
  let name: ExactName

  /// Of a file or folder that is there.
  init?(_ path: String) {
    var status = stat()
    guard stat(FileName.path(path), &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    name = ExactName("")
  }

  /// Of one that may come to be.
  init?(unmade path: String) {
    var status = stat()
    guard stat(FileName.path(folder(of: path)), &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    name = ExactName(FileName.split(path).name)
  }
}
