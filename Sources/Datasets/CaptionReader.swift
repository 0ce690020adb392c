internal import Foundation
internal import Support

/// Gathers the images and captions of one file, whatever its kind, and what is odd about them.
struct CaptionReader {
  let path: String
  private let folder: String
  private let split: CaptionSplit
  private var images: [CaptionedImage] = []
  private var indexOfID: [Int: Int] = [:]
  private var emptyCaptions: [String] = []

  init(path: String, folder: String, split: CaptionSplit) {
    (self.path, self.folder, self.split) = (path, folder, split)
  }

  /// Reads the file, as what it is by its first character that is no white space.
  mutating func read() throws(DatasetError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    guard !file.bytes.isEmpty else { throw .unrecognised(path: path, found: "an empty file") }
    let text = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? file.bytes.dropFirst(3) : file.bytes[...]
    switch text.first(where: { $0 > 0x20 }) {
    case UInt8(ascii: "{"):
      switch try decodeJSON(CaptionObject.self, from: file) {
      case .coco(let file): try add(file)
      case .karpathy(let file): try add(file)
      }
    case UInt8(ascii: "["): try add(decodeJSON([ListedImage].self, from: file))
    default: try addFlickrLines(text)
    }
    withExtendedLifetime(file) {}
  }

  /// Which places in a list of images to take, given the split of each.
  func chosen(_ splits: [String?]) throws(DatasetError) -> [Int] {
    let name: String
    switch split {
    case .all: return Array(splits.indices)
    case .ifAny(let wanted):
      if splits.allSatisfy({ $0 == nil }) { return Array(splits.indices) }
      name = wanted
    case .named(let wanted): name = wanted
    }
    let members = CaptionSplit.members(of: name)
    let places = splits.indices.filter { splits[$0].map(members.contains) ?? false }
    guard !places.isEmpty else {
      var counts: [String: Int] = [:]
      for case let split? in splits { counts[split, default: 0] += 1 }
      let found = counts.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value) images)" }
      throw .noSplit(path: path, split: name, found: found)
    }
    return places
  }

  /// Adds an image; its index.
  mutating func addImage(
    id: Int, fileName: String, location: @autoclosure () -> String, fileKey: String
  ) throws(DatasetError) -> Int {
    guard isSafe(fileName) else {
      throw .unsafeFileName(path: path, location: location() + fileKey, name: fileName)
    }
    guard indexOfID.updateValue(images.count, forKey: id) == nil else {
      throw .duplicate(path: path, location: location(), id: id)
    }
    images.append(CaptionedImage(id: id, fileName: fileName, folder: folder))
    return images.count - 1
  }

  /// The index of the image with an id.
  func index(ofImage id: Int) -> Int? { indexOfID[id] }

  /// Adds a caption, without the white space around it, to an image.
  mutating func addCaption(_ caption: String, to image: Int, location: @autoclosure () -> String) {
    let caption = caption.trimmed
    if caption.isEmpty { emptyCaptions.append(location()) } else { images[image].captions.append(caption) }
  }

  /// What was gathered.
  func finished() -> CaptionDataset {
    var warnings: [String] = []
    if let first = emptyCaptions.first {
      warnings.append("\(path): \(emptyCaptions.count) empty captions left out, the first at \(first)")
    }
    let bare = images.lazy.filter(\.captions.isEmpty)
    if let first = bare.first {
      warnings.append("\(path): \(bare.count) images without a caption, the first \(first.fileName)")
    }
    return CaptionDataset(
      images: images, emptyCaptions: emptyCaptions.map { "\(path): \($0)" }, warnings: warnings)
  }
}

private func isSafe(_ name: String) -> Bool {
  !name.isEmpty && !name.hasPrefix("/") && !name.utf8.contains(0)
    && !name.split(separator: "/").contains("..")
}

extension String {
  /// Without white space at its ends.
  fileprivate var trimmed: String {
    // Nearly all captions begin and end with an ASCII letter or full stop.
    if let first = utf8.first, let last = utf8.last, 0x21..<0x7F ~= first, 0x21..<0x7F ~= last { return self }
    return trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
