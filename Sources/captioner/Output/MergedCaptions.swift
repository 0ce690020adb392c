import Foundation
import Support

/// Parts of what `caption --output` writes, one after the other, as one file.
struct MergedCaptions {
  private let parts: [String]
  private let format: CaptionFormat
  /// Which part has a photo.
  private var owner: [ExactName: String] = [:]
  /// Photos, and those of them that failed.
  private(set) var (images, failures) = (0, 0)

  /// Parts of one format.
  init(_ parts: [String], _ format: CaptionFormat) {
    self.parts = parts
    self.format = format
  }

  /// The format that a file has by its first bytes; nil: none of these.
  static func format(ofFileThatBegins bytes: some Collection<UInt8>) -> CaptionFormat? {
    if bytes.starts(with: Array("{\"image\":".utf8)) { return .json }
    return bytes.starts(with: Array(CaptionWriter.csvTitles.utf8)) ? .csv : nil
  }

  /// Writes the file, whole or not at all.
  /// - Throws: `Failure` that names part and line.
  mutating func write(to path: String) throws {
    try AtomicFile.write(to: path) { file in
      if format == .csv { try file.write(CaptionWriter.csvTitles + "\n") }
      for part in parts { try add(part, to: &file) }
    }
  }

  private mutating func add(_ part: String, to file: inout AtomicFile) throws {
    let contents = try MappedFile(path: part)
    func refuse(_ line: Int, _ reason: String) -> Failure {
      Failure(description: "\(part): line \(line): \(reason)")
    }
    var rest = contents.bytes[...]
    var number = 0
    var last: ExactName?
    while !rest.isEmpty {
      number += 1
      let line = rest.prefix { $0 != UInt8(ascii: "\n") }
      guard line.endIndex < rest.endIndex else {
        throw refuse(number, "cut short; run its command again, which goes on from there")
      }
      rest = rest[(line.endIndex + 1)...]
      let bytes = Array(line)[...]
      if format == .csv, number == 1, bytes.elementsEqual(CaptionWriter.csvTitles.utf8) { continue }
      guard let printed = PrintedLine(bytes, format) else {
        throw refuse(number, "expected a line as --format \(format.rawValue) prints it")
      }
      // A photo's rows follow each other.
      if printed.image != last {
        if let other = owner.updateValue(part, forKey: printed.image) {
          throw refuse(
            number, "\(printed.image.text) is in \(other) too; were they made of different shards?")
        }
        images += 1
        if printed.isFailure { failures += 1 }
      }
      last = printed.image
      try file.write(Array(bytes) + [UInt8(ascii: "\n")])
    }
  }
}
