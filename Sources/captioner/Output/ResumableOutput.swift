import Foundation
import Support

/// The file of `caption --output`. Lines are appended whole; what an interrupted run left is gone on from: its whole lines
/// stay, a torn last one is cut, and those of photos that failed go, for they are tried again.
final class ResumableOutput {
  private let path: String
  private let format: CaptionFormat
  private var descriptor: Int32 = -1
  /// How the photos are called that have their captions, in the format's way.
  private var finished: Set<ExactName> = []

  /// Opens it, or makes it.
  /// - Parameters:
  ///   - format: json or csv.
  ///   - captions: how many a photo gets: of a table's last photo all rows must be there.
  ///   - startingOver: whether what is there goes.
  /// - Throws: `FileError`; `Failure` where it holds something else.
  init(_ path: String, _ format: CaptionFormat, captions: Int, startingOver: Bool) throws {
    self.path = path
    self.format = format
    try reopen()
    if startingOver {
      guard ftruncate(descriptor, 0) == 0 else { throw FileError(path: path, action: "write", errno: errno) }
    } else {
      try takeUp(captions: captions)
    }
    if format == .csv, lseek(descriptor, 0, SEEK_END) == 0 {
      try append(Array((CaptionWriter.csvTitles + "\n").utf8))
    }
  }

  deinit {
    if descriptor >= 0 {
      fsync(descriptor)
      close(descriptor)
    }
  }

  /// Whether a photo has its captions.
  func holds(_ image: String) -> Bool {
    finished.contains(ExactName(format == .csv ? Console.csv(text: image) : image))
  }

  /// Appends whole lines.
  /// - Throws: `FileError`.
  func append(_ lines: [UInt8]) throws {
    try lines.withUnsafeBytes { try writeAll($0, to: descriptor, path: path) }
  }

  private func reopen() throws(FileError) {
    if descriptor >= 0 { close(descriptor) }
    descriptor = open(FileName.path(path), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError(path: path, action: "write", errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw FileError(path: path, action: "write", reason: "another process is writing it")
    }
  }

  /// A line of the file, and where it is.
  private struct Line {
    let printed: PrintedLine
    let range: Range<Int>
  }

  private func takeUp(captions: Int) throws {
    var (whole, failures): (Int, [Line]) = (0, [])
    // The rows of the last photo of a table.
    var last: [Line] = []
    try readLines { number, bytes, range in
      whole = range.upperBound
      if format == .csv, number == 1 {
        guard bytes.elementsEqual(CaptionWriter.csvTitles.utf8) else { throw refusal(number, bytes) }
        return
      }
      guard let printed = PrintedLine(bytes, format) else { throw refusal(number, bytes) }
      let line = Line(printed: printed, range: range)
      if printed.image != last.last?.printed.image { last = [] }
      last.append(line)
      if printed.isFailure { failures.append(line) } else { finished.insert(printed.image) }
    } torn: { number, bytes in
      guard isOurs(torn: bytes, first: number == 1) else { throw refusal(number, bytes) }
    }
    if format == .csv, let line = last.last?.printed, !line.isFailure, last.count < captions, line.hasCaption
    {
      finished.remove(line.image)
      failures += last
    }
    if failures.isEmpty {
      guard ftruncate(descriptor, off_t(whole)) == 0 else {
        throw FileError(path: path, action: "write", errno: errno)
      }
    } else {
      try rewrite(upTo: whole, without: failures)
    }
  }

  /// The file without some lines, in its place.
  private func rewrite(upTo whole: Int, without lines: [Line]) throws {
    var start = 0
    var kept: [Range<Int>] = []
    for line in lines {
      kept.append(start..<line.range.lowerBound)
      start = line.range.upperBound
    }
    kept.append(start..<whole)
    try AtomicFile.write(to: path) { file in
      for range in kept {
        var place = range.lowerBound
        while place < range.upperBound {
          let block = try read(at: place, count: min(1 << 20, range.upperBound - place))
          try file.write(block)
          place += block.count
        }
      }
    }
    try reopen()
  }

  private func read(at place: Int, count: Int) throws(FileError) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: count)
    while true {
      let got = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, count, off_t(place)) }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else {
        throw FileError(
          path: path, action: "read", reason: got < 0 ? String(cString: strerror(errno)) : "cut short")
      }
      block.removeLast(count - got)
      return block
    }
  }

  /// The longest line that is read.
  private static let longestLine = 1 << 26

  /// Calls `whole` with each line that ends, and `torn` with what follows the last.
  private func readLines(
    _ whole: (_ number: Int, _ bytes: ArraySlice<UInt8>, _ range: Range<Int>) throws -> Void,
    torn: (_ number: Int, _ bytes: ArraySlice<UInt8>) throws -> Void
  ) throws {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var (number, start, pending): (Int, Int, [UInt8]) = (1, 0, [])
    var place = 0
    while place < size {
      let block = try read(at: place, count: min(1 << 20, size - place))
      place += block.count
      var rest = block[...]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        pending += rest[..<end]
        try whole(number, pending[...], start..<start + pending.count + 1)
        start += pending.count + 1
        number += 1
        pending.removeAll(keepingCapacity: true)
        rest = rest[(end + 1)...]
      }
      pending += rest
      guard pending.count <= Self.longestLine else { throw refusal(number, pending[...]) }
    }
    if !pending.isEmpty { try torn(number, pending[...]) }
  }

  /// Whether the bytes behind the last line may be the beginning of one: zeros are what a machine that stopped leaves.
  private func isOurs(torn: ArraySlice<UInt8>, first: Bool) -> Bool {
    if torn.allSatisfy({ $0 == 0 }) { return true }
    if format == .csv, !first { return true }
    let beginning = Array((format == .csv ? CaptionWriter.csvTitles : "{\"image\":").utf8)
    return torn.starts(with: beginning) || beginning.starts(with: torn)
  }

  private func refusal(_ number: Int, _ found: ArraySlice<UInt8>) -> Failure {
    let text = String(decoding: found.prefix(60), as: UTF8.self)
    let expected =
      format == .csv && number == 1
      ? CaptionWriter.csvTitles : "a line as --format \(format.rawValue) prints it"
    return Failure(
      description: "\(path): line \(number): expected \(expected), found \(text); "
        + "choose another file for --output, or --overwrite to start over")
  }
}
