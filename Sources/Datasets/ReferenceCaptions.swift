internal import Support

/// The captions of a caption file as metrics need them: every caption as it stands, empty ones too, and no photos.
public struct ReferenceCaptions: Sendable, Equatable {
  /// The captions of each image by its number, in the order of the file; there may be none.
  public let captions: [Int: [String]]
  /// What is odd about the file but can be lived with: one line each, for people.
  public let warnings: [String]
  /// Whether the file is a caption a line, without names.
  let isPlain: Bool
  private let numbers: [ImageID: Int]
  private let numbersOfNames: [ExactName: Int]
  /// The numbers of images by the last part of their names, where that is one image's alone.
  private let numbersOfLastParts: [ExactName: Int]

  /// Reads a caption file of any kind that `CaptionDataset` reads, or text of a caption a line.
  /// - Throws: `DatasetError` when the file can't be read, is none of these, or holds nothing but broken entries.
  public init(path: String) throws(DatasetError) {
    var reader = CaptionReader(path: path, folder: "", split: .all, purpose: .scoring)
    try reader.read()
    let dataset = try reader.finished()
    captions = Dictionary(dataset.images.map { ($0.id, $0.captions) }) { $0 + $1 }
    warnings =
      dataset.brokenEntries.isEmpty
      ? []
      : ["\(path): \(dataset.brokenEntries.count) entries left out, the first: \(dataset.brokenEntries[0])"]
    isPlain = reader.isPlain
    numbers = reader.numbers
    numbersOfNames = reader.numbersOfNames
    var byLastPart: [ExactName: Int] = [:]
    var shared: Set<ExactName> = []
    for (name, number) in numbersOfNames {
      if byLastPart.updateValue(number, forKey: name.lastPart) != nil { shared.insert(name.lastPart) }
    }
    numbersOfLastParts = byLastPart.filter { !shared.contains($0.key) }
  }

  /// The number of the image with an id; files without ids number their images from 0.
  func number(of id: ImageID) -> Int? { numbers[id] ?? id.number.flatMap { captions[$0] == nil ? nil : $0 } }

  /// The number of the image of a file; folders need not agree where the file's own name is one image's alone.
  func number(ofFile name: String) -> Int? {
    let name = ExactName(name)
    return numbersOfNames[name] ?? numbersOfLastParts[name.lastPart]
  }
}

extension ExactName {
  /// What follows the last slash or backslash.
  fileprivate var lastPart: ExactName {
    ExactName(text.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? text)
  }
}
