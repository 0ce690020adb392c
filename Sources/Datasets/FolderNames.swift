internal import Glibc
internal import Support

/// The names in a folder.
enum FolderNames {
  /// Those of files and folders directly in it, hidden ones left out, in no order.
  static func of(_ folder: String) throws(DatasetError) -> [String] {
    guard let directory = opendir(FileName.path(folder)) else {
      throw .file(FileError(path: folder, action: "open", errno: errno))
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { FileName.text($0.prefix { $0 != 0 }) }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}
