internal import Foundation
internal import Glibc
internal import Support

/// A folder of images, and what caption files call those in it.
struct ImageFolder {
  /// Its path; empty where none was named.
  let path: String
  /// The same from the root on, as given and with links followed, each ending in a slash.
  private let roots: [String]

  init(_ path: String) {
    self.path = path
    guard !path.isEmpty else {
      roots = []
      return
    }
    let url = URL(fileURLWithPath: path, isDirectory: true)
    roots = [url.standardizedFileURL.path, url.resolvingSymlinksInPath().path].map {
      $0.hasSuffix("/") ? $0 : $0 + "/"
    }
  }

  /// The name within the folder of what a caption file names so, and whether it is there under another Unicode
  /// normalisation only; nil when it is outside.
  ///
  /// Names of files that are there are taken as they stand. Others may have backslashes as separators, may be absolute
  /// or begin with the folder's path, may differ in normalisation or encoding, and may be absolute paths of another
  /// machine of which an end is there.
  func name(of name: String) -> (name: String, isRespelled: Bool)? {
    guard !name.isEmpty, !name.utf8.contains(0) else { return nil }
    if isInside(name), path.isEmpty || exists(name) { return (name, false) }
    let slashed = name.replacing("\\", with: "/")
    let candidates = [relative(name), slashed, relative(slashed)].compactMap(\.self).filter(isInside)
    if let found = candidates.first(where: exists) { return (found, false) }
    // A name of a file in Windows-1252 is spelled as the disk has it.
    let repaired = [name, slashed].compactMap(TextEncoding.repaired).filter(isInside)
    if let found = repaired.first(where: exists) { return (found, true) }
    for candidate in [name] + candidates + repaired where isInside(candidate) {
      for other in [
        candidate.precomposedStringWithCanonicalMapping, candidate.decomposedStringWithCanonicalMapping,
      ]
      where !other.utf8.elementsEqual(candidate.utf8) && exists(other) { return (other, true) }
    }
    if let found = [name, slashed].compactMap(endOfForeignPath).first { return (found, true) }
    if isInside(name) { return (name, false) }
    return candidates.first.map { ($0, false) }
  }

  /// Of an absolute path of another machine, `C:/data/photos/1.jpg`, the longest end that is in the folder.
  private func endOfForeignPath(_ name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: true)
    guard name.hasPrefix("/") || name.contains(/^[A-Za-z]:\//), parts.count <= 64 else { return nil }
    return parts.indices.dropFirst().lazy.map { parts[$0...].joined(separator: "/") }
      .first { isInside($0) && exists($0) }
  }

  /// A path as it is within the folder: of an absolute one, or of one that begins where the folder's does.
  private func relative(_ name: String) -> String? {
    let absolute = name.hasPrefix("/") ? name : FileManager.default.currentDirectoryPath + "/" + name
    let standard = URL(fileURLWithPath: absolute).standardizedFileURL.path
    return roots.first { standard.hasPrefix($0) }.map { String(standard.dropFirst($0.count)) }
  }

  private func exists(_ name: String) -> Bool {
    !path.isEmpty && access(FileName.path(path + "/" + name), F_OK) == 0
  }

  private func isInside(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix("/")
      && !name.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
  }
}
