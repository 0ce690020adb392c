internal import Glibc

/// Names of files that are being written: `.NAME.partial-` and 24 hexadecimal digits, 16 of them random and 8 that follow
/// from these and NAME. No other file has such a name but by intent.
enum TemporaryName {
  private static let mark = ".partial-"

  /// A new name beside `path`.
  static func random(for path: String) -> String {
    let name = lastComponent(path)
    let digits = hexadecimal(UInt64.random(in: 0...UInt64.max), count: 16)
    return "\(folder(of: path))/.\(shortened(name))\(mark)\(digits)\(proof(digits, shortened(name)))"
  }

  /// Removes what processes left beside `path` that were killed while they wrote it.
  static func removeLeftovers(of path: String) {
    let name = shortened(lastComponent(path))
    removeLeftovers(in: folder(of: path)) { $0 == name }
  }

  /// Removes the left-overs of a folder for which `isWanted` holds, given the name of the file they were to become.
  static func removeLeftovers(in folder: String, where isWanted: (String) -> Bool) {
    guard let listing = opendir(FileName.path(folder)) else { return }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        FileName.text($0.prefix { $0 != 0 })
      }
      if let original = original(of: name), isWanted(original) { removeIfAbandoned(folder + "/" + name) }
    }
  }

  /// What a file of this name was to become; nil if the name is none of ours.
  private static func original(of name: String) -> String? {
    let count = mark.utf8.count + 24
    guard name.hasPrefix("."), name.utf8.count > count + 1 else { return nil }
    let text = Array(name.utf8)
    guard text[(text.count - count)...].starts(with: mark.utf8) else { return nil }
    let original = String(decoding: text[1..<(text.count - count)], as: UTF8.self)
    let digits = String(decoding: text[(text.count - 24)..<(text.count - 8)], as: UTF8.self)
    return name.hasSuffix(proof(digits, original)) ? original : nil
  }

  /// Removes a plain file of this user's that nobody is writing.
  private static func removeIfAbandoned(_ path: String) {
    let descriptor = open(FileName.path(path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return }
    unlink(FileName.path(path))
  }

  private static func proof(_ digits: String, _ name: String) -> String {
    var fingerprint = Fingerprint()
    fingerprint.add(bytes: "captioner \(digits) \(name)".utf8)
    return hexadecimal(fingerprint.value >> 32, count: 8)
  }

  private static func lastComponent(_ path: String) -> String {
    String(path.utf8.split(separator: UInt8(ascii: "/")).last.map { String($0) ?? "" } ?? "")
  }

  /// So much of a name that the marks beside it still fit into the 255 bytes of a file system.
  private static func shortened(_ name: String) -> String {
    String(decoding: Array(name.utf8.prefix(200)), as: UTF8.self)
  }

  private static func hexadecimal(_ value: UInt64, count: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
  }
}

/// Removes from a folder what processes left behind that were killed while they wrote files into it; nothing else.
public func removeLeftovers(in folder: String) { TemporaryName.removeLeftovers(in: folder) { _ in true } }
