import ArgumentParser
import Foundation
import Imaging
import Support

/// The photos that a command reads: its arguments, and lists of them.
struct PathOptions: ParsableArguments {
  @Argument(help: "Image files, folders of them, or - for standard input.") var paths: [String] = []
  @Option(
    help: ArgumentHelp(
      "A list of more of them, a path a line; - reads the list from standard input.", valueName: "file"))
  var filesFrom: String?
  @Flag(
    name: [.customShort("0"), .customLong("null")],
    help: "Paths in --files-from end in a NUL byte, as find -print0 writes them.") var isNullTerminated =
    false

  func validate() throws {
    guard paths.count(where: { $0 == "-" }) <= 1 else { throw ValidationError("- may be given once") }
    guard filesFrom != "-" || !paths.contains("-") else {
      throw ValidationError("--files-from - reads the list from standard input, which can't be a photo too")
    }
    guard !isNullTerminated || filesFrom != nil else {
      throw ValidationError("--null: only with --files-from, whose paths it is about")
    }
  }

  /// Makes sure that there are some.
  func checkNotEmpty() throws {
    if paths.isEmpty, filesFrom == nil { throw ValidationError("Missing expected argument '<paths> ...'") }
  }

  /// What was given, as it is: names of images in a file of features.
  /// - Throws: as `list`.
  func names() throws -> [String] { try paths + listedPaths() }

  /// The files, in order, and what can't be read of folders.
  /// - Throws: `Failure` where the list can't be read.
  func list(_ folders: FolderOptions) throws -> (files: [String], failures: [ImageError]) {
    var all: (files: [String], failures: [ImageError]) = ([], [])
    for path in try paths + listedPaths() {
      if path == "-" {
        all.files.append(path)
        continue
      }
      do throws(ImageError) {
        let listing = try folders.list(path)
        all.files += listing.files
        all.failures += listing.failures
        if listing.files.isEmpty, listing.failures.isEmpty {
          throw .unreadable(path: path, reason: listing.lack)
        }
      } catch { all.failures.append(error) }
    }
    return all
  }

  private func listedPaths() throws -> [String] {
    guard let filesFrom else { return [] }
    let contents = try FileContents(path: filesFrom == "-" ? "/dev/stdin" : filesFrom, limit: 1 << 30)
    let name = filesFrom == "-" ? "standard input" : filesFrom
    return try Self.paths(in: contents.bytes, named: name, isNullTerminated: isNullTerminated)
  }

  /// The longest path that the system takes, without the zero at its end.
  private static let longest = Int(PATH_MAX) - 1

  /// The paths of a list. Of lines, empty ones are passed over, and a carriage return at the end and a byte order mark at
  /// the beginning belong to no path.
  /// - Throws: `Failure` naming the line that can't be a path.
  static func paths(
    in bytes: UnsafeRawBufferPointer, named name: String, isNullTerminated: Bool
  ) throws -> [String] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let all = !isNullTerminated && bytes.starts(with: mark) ? bytes[3...] : bytes[...]
    var found: [String] = []
    let end = isNullTerminated ? 0 : UInt8(ascii: "\n")
    for (number, line) in all.split(separator: end, omittingEmptySubsequences: false).enumerated() {
      var line = line
      func refuse(_ found: String) -> Failure {
        Failure(
          description:
            "\(name): \(isNullTerminated ? "path" : "line") \(number + 1): expected a path, found \(found)")
      }
      if !isNullTerminated {
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        guard !line.contains(0) else { throw refuse("a NUL byte; with --null paths end in one") }
      }
      guard !line.isEmpty else { continue }
      guard line.count <= longest else { throw refuse("\(line.count) bytes") }
      let path = FileName.text(line)
      // In a list - is a file of that name.
      found.append(path == "-" ? "./-" : path)
    }
    return found
  }
}
