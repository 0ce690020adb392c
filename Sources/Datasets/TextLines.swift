internal import Foundation
public import Kernels
public import Language
internal import Support
internal import Synchronization

extension TokenizedCaptions {
  /// The most bytes of a sentence that stands for itself, without a photo.
  static let longestSentence = 8192
  /// Bytes that one thread tokenizes at a time.
  private static let pieceSize = 1 << 20

  /// Sentences without photos, of text files with one a line, UTF-8. Lines without a word are left out. Sentence i is about
  /// image i, which there is not.
  /// - Throws: `DatasetError` for files that are no text, a line that is not UTF-8 or too long, and files without a
  ///   sentence.
  public init(
    textFiles paths: [String], tokenizer: Tokenizer = Tokenizer(), pool: ThreadPool = .shared
  ) throws(DatasetError) {
    var whole = WordTable()
    for path in paths {
      let count = whole.captions.count
      try Self.read(path, tokenizer, pool, into: &whole)
      guard whole.captions.count > count else {
        throw .unexpected(
          path: path, location: "the file", expected: "sentences, one a line", found: "none with a word")
      }
    }
    self.init(
      words: whole.words, imageIndexes: Array(0..<whole.captions.count), captions: whole.captions)
  }

  private static func read(
    _ path: String, _ tokenizer: Tokenizer, _ pool: ThreadPool, into whole: inout WordTable
  ) throws(DatasetError) {
    let file: FileContents
    do { file = try FileContents(path: path, limit: 1 << 32) } catch { throw .file(error) }
    if let kind = FileKind.name(ofFileThatBegins: file.bytes.prefix(512)), kind != "a text file" {
      throw .unexpected(path: path, location: "the file", expected: "sentences, one a line", found: kind)
    }
    let mark = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let text = UnsafeRawBufferPointer(rebasing: file.bytes.dropFirst(mark))
    let pieces = pieces(of: text)
    let results = Mutex([Result<WordTable, LineFault>?](repeating: nil, count: pieces.count))
    pool.run(pieces.count) { number in
      nonisolated(unsafe) let piece = UnsafeRawBufferPointer(rebasing: text[pieces[number]])
      let result = Result<WordTable, LineFault> { () throws(LineFault) in try table(of: piece, tokenizer) }
      results.withLock { $0[number] = result }
    }
    withExtendedLifetime(file) {}
    // Piece after piece, so that the order of words does not depend on the threads.
    for (number, result) in results.withLock({ $0 }).enumerated() {
      switch result {
      case .success(let table): whole.append(table)
      case .failure(let fault):
        let before = Self.lines(of: UnsafeRawBufferPointer(rebasing: text[..<pieces[number].lowerBound]))
        throw .unexpected(
          path: path, location: "line \(before + fault.line)", expected: fault.expected, found: fault.found)
      case nil: break
      }
    }
  }

  /// What is wrong with a line of a piece, numbered from 1.
  private struct LineFault: Error {
    let line: Int
    let expected, found: String
  }

  private static let feed = Int32(UInt8(ascii: "\n"))

  /// Where the first line of some bytes ends.
  private static func endOfLine(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress, let end = memchr(base, feed, bytes.count) else { return nil }
    return UnsafeRawPointer(end) - base
  }

  /// How many ends of lines there are.
  private static func lines(of bytes: UnsafeRawBufferPointer) -> Int {
    var (rest, count) = (bytes, 0)
    while let end = endOfLine(rest) {
      rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
      count += 1
    }
    return count
  }

  /// Ranges that end after a line's end.
  private static func pieces(of text: UnsafeRawBufferPointer) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = 0
    while start < text.count {
      let least = Swift.min(start + pieceSize, text.count)
      let more = endOfLine(UnsafeRawBufferPointer(rebasing: text[least...]))
      let end = more.map { least + $0 + 1 } ?? text.count
      pieces.append(start..<end)
      start = end
    }
    return pieces
  }

  private static func table(
    of piece: UnsafeRawBufferPointer, _ tokenizer: Tokenizer
  ) throws(LineFault) -> WordTable {
    var table = WordTable()
    var rest = piece
    var number = 0
    while !rest.isEmpty {
      number += 1
      let end = endOfLine(rest) ?? rest.count
      let line = UnsafeRawBufferPointer(rebasing: rest[..<end])
      rest = UnsafeRawBufferPointer(rebasing: rest[Swift.min(end + 1, rest.count)...])
      guard line.count <= longestSentence else {
        throw LineFault(
          line: number, expected: "a sentence of at most \(longestSentence) bytes",
          found: "\(line.count) bytes")
      }
      guard let sentence = String(validating: line, as: UTF8.self) else {
        throw LineFault(line: number, expected: "UTF-8", found: "bytes that are not")
      }
      let tokens = tokenizer.tokens(sentence)
      if !tokens.isEmpty { table.add(tokens) }
    }
    return table
  }
}
