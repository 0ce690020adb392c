public import Support
internal import Foundation

/// The data of METEOR 1.5's reference implementation for English: what pycocoevalcap ships as `meteor-1.5.jar` and
/// `data/paraphrase-en.gz`. Nothing of it is in this project.
public struct METEORData: Sendable {
  /// Where it was found.
  public let path: String
  /// Words of which METEOR takes less account: one a line.
  let functionWords: Resource
  /// Words after which a dot ends no sentence.
  let prefixes: Resource
  /// WordNet's irregular forms, and sets of synonyms.
  let exceptions, synsets: Resource
  /// The table of paraphrases, packed by gzip: three lines each, a probability, a phrase and another for it.
  let paraphrases: String

  /// A file that is small enough to be whole in memory.
  struct Resource: Sendable {
    let path: String
    /// Its lines without their ends.
    let lines: [ArraySlice<UInt8>]

    /// - Parameter bytes: the file's.
    init(path: String, bytes: [UInt8]) {
      self.path = path
      var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      if lines.last?.isEmpty == true { lines.removeLast() }
      self.lines = lines.map { $0.last == 0x0D ? $0.dropLast() : $0 }
    }

    func malformed(line: Int, expected: String, found: String) -> METEORDataError {
      .malformed(path: path, line: line, expected: expected, found: found)
    }
  }

  /// The most bytes of a file that is read whole; the largest has 4 MB.
  static let largest = 1 << 26
}

extension METEORData {
  private static let names = [
    "function/english.words", "nonbreaking/english.prefixes", "synonym/english.exceptions",
    "synonym/english.synsets",
  ]

  /// Finds and reads the data; the table of paraphrases is read when texts are scored.
  /// - Parameter path: `meteor-1.5.jar`, a folder that has it, as pycocoevalcap's `meteor`, or the folder that it was
  ///   unpacked into; `data/paraphrase-en.gz` lies beside the jar or in or beside that folder.
  /// - Throws: `METEORDataError`.
  public init(path: String) throws(METEORDataError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .file(FileError(path: path, action: "open", reason: "No such file or directory"))
    }
    let jar = isFolder.boolValue ? "\(path)/meteor-1.5.jar" : path
    let beside = (jar as NSString).deletingLastPathComponent
    var resources: [Resource] = []
    var places = [beside.isEmpty ? "." : beside]
    if FileManager.default.fileExists(atPath: jar) {
      do {
        let archive = try ZipArchive(path: jar)
        for name in Self.names {
          let bytes = try archive.bytes(of: name, limit: Self.largest)
          resources.append(Resource(path: "\(jar)/\(name)", bytes: bytes))
        }
      } catch { throw .file(error) }
    } else if FileManager.default.fileExists(atPath: "\(path)/\(Self.names[0])") {
      places.append("\(path)/..")
      do {
        for name in Self.names {
          let file = try FileContents(path: "\(path)/\(name)", limit: Self.largest)
          resources.append(Resource(path: file.path, bytes: Array(file.bytes)))
        }
      } catch { throw .file(error) }
    } else {
      throw .nothing(path: path)
    }
    let tables = places.map { "\($0)/data/paraphrase-en.gz" }
    guard let table = tables.first(where: FileManager.default.fileExists(atPath:)) else {
      throw .noParaphrases(path: path, expected: tables)
    }
    self.init(
      path: path, functionWords: resources[0], prefixes: resources[1], exceptions: resources[2],
      synsets: resources[3], paraphrases: table)
  }
}

/// METEOR's data, or captions, that can't be used.
public enum METEORDataError: Error, Equatable, CustomStringConvertible {
  /// A file that can't be opened or read.
  case file(FileError)
  /// Neither the jar nor what is in it.
  case nothing(path: String)
  /// The jar without the table of paraphrases.
  case noParaphrases(path: String, expected: [String])
  /// A file of another form.
  case malformed(path: String, line: Int, expected: String, found: String)
  /// More paraphrases that the captions may have than can be held.
  case tooManyParaphrases(path: String, limit: Int)
  /// A caption with more words than METEOR is asked to align here.
  case tooLong(caption: String, words: Int, limit: Int)
  /// A caption whose words can be matched with a reference's in too many ways.
  case tooManyMatches(caption: String, limit: Int)

  /// One line that says what was expected and what was found.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .nothing(let path):
      "\(path): expected meteor-1.5.jar, a folder that has it, or one that it was unpacked into, found none"
    case .noParaphrases(let path, let expected):
      "\(path): expected the table of paraphrases at \(expected.joined(separator: " or ")), found none"
    case .malformed(let path, let line, let expected, let found):
      "\(path), line \(line): expected \(expected), found \(found.shortened(to: 60))"
    case .tooManyParaphrases(let path, let limit):
      "\(path): expected at most \(limit) paraphrases that the captions may have, found more"
    case .tooLong(let caption, let words, let limit):
      "METEOR: expected captions of at most \(limit) words, found \(words): `\(caption.shortened(to: 60))`"
    case .tooManyMatches(let caption, let limit):
      "METEOR: expected at most \(limit) ways to match words of a caption and a reference, found more: "
        + "`\(caption.shortened(to: 60))`"
    }
  }
}
