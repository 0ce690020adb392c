import Foundation
import Support

/// The file of `caption --output` that several processes make. Each writes a part beside it, `FILE.rank-0` and so on; when
/// all are done the first puts them together, in the order of the photos. Parts of a job that came to no end are taken up
/// by the next, of however many processes.
struct SharedOutput {
  private let path: String
  private let format: CaptionFormat
  private let photos: [String]

  /// - Parameter photos: all, in the order of the file.
  init(_ path: String, _ format: CaptionFormat, photos: [String]) {
    self.path = path
    self.format = format
    self.photos = photos
  }

  /// The part that a rank writes.
  func part(_ rank: Int) -> String { "\(path).rank-\(rank)" }

  /// Makes sure that all see the same photos.
  /// - Throws: `Failure`.
  func checkList(among group: any ProcessGroup) throws {
    var print = Fingerprint()
    for photo in photos {
      // No byte: a path begins here.
      print.add(.max)
      print.add(bytes: photo.utf8)
    }
    let all = try group.gathered(Array(print.text.utf8))
    guard let rank = all.firstIndex(where: { $0 != all[0] }) else { return }
    throw Failure(
      description:
        "rank \(rank): expected the photos of rank 0, found others; --files-from takes one list for all")
  }

  /// The parts that are there.
  private var parts: [String] {
    let (folder, name) = FileName.split(path)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    let prefix = name + ".rank-"
    let ranks = names.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count)) }
    return ranks.sorted().map(part)
  }

  /// Removes them.
  func removeParts() throws {
    for part in parts where unlink(FileName.path(part)) != 0 {
      throw FileError(path: part, action: "remove", errno: errno)
    }
  }

  /// Puts them and what is there together, and removes them.
  /// - Parameter areWhole: whether their processes ended well; else the last photo of each may lack rows.
  /// - Throws: `Failure` that names file and line; `FileError`.
  func takeUpParts(areWhole: Bool = false) throws {
    let parts = parts
    guard !parts.isEmpty else { return }
    var lines: [Entry] = []
    var files: [MappedFile] = []
    var places: [ExactName: Int] = [:]
    for (place, photo) in photos.enumerated().reversed() {
      places[ExactName(format == .csv ? Console.csv(text: photo) : photo)] = place
    }
    for file in (access(FileName.path(path), F_OK) == 0 ? [path] : []) + parts {
      let contents = try MappedFile(path: file)
      lines += try entries(contents, number: files.count, isWhole: areWhole || file == path) {
        places[$0] ?? -1
      }
      files.append(contents)
    }
    lines.sort { ($0.place, $0.file, $0.range.lowerBound) < ($1.place, $1.file, $1.range.lowerBound) }
    try AtomicFile.write(to: path) { output in
      if format == .csv { try output.write(CaptionWriter.csvTitles + "\n") }
      for line in lines { try output.write(Array(files[line.file].bytes[line.range])) }
    }
    try removeParts()
  }

  /// Lines of a file about one photo.
  private struct Entry {
    let place, file: Int
    let range: Range<Int>
  }

  private func entries(
    _ contents: MappedFile, number file: Int, isWhole: Bool, place: (ExactName) -> Int
  ) throws -> [Entry] {
    var entries: [Entry] = []
    var last: ExactName?
    var (start, number) = (0, 0)
    while start < contents.bytes.count, let end = contents.bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
    {
      let line = start..<end + 1
      let bytes = Array(contents.bytes[start..<end])[...]
      start = end + 1
      number += 1
      if format == .csv, number == 1, bytes.elementsEqual(CaptionWriter.csvTitles.utf8) { continue }
      guard let printed = PrintedLine(bytes, format) else {
        throw Failure(
          description:
            "\(contents.path): line \(number): expected a line as --format \(format.rawValue) prints it")
      }
      if printed.image == last, let before = entries.popLast() {
        entries.append(
          Entry(place: before.place, file: file, range: before.range.lowerBound..<line.upperBound))
      } else {
        entries.append(Entry(place: place(printed.image), file: file, range: line))
      }
      last = printed.image
    }
    if format == .csv, !isWhole, !entries.isEmpty { entries.removeLast() }
    return entries
  }
}
