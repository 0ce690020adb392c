import Foundation
import Support

/// A folder that files are written into.
enum OutputFolder {
  /// Makes it, if it is not there; not those that it would be in.
  /// - Throws: `FileError`.
  static func make(_ folder: String) throws(FileError) {
    let path = FileName.path(folder)
    if mkdir(path, 0o777) == 0 { return }
    let code = errno
    var found = stat()
    guard stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(path: folder, action: "make the folder", errno: code)
    }
  }
}
