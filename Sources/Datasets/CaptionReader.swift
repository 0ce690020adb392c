internal import Foundation
internal import Support

/// Gathers the images and captions of one file, whatever its kind, and what is odd about them.
struct CaptionReader {
  /// What captions are read for.
  enum Purpose {
    /// To be learned with their photos, which lie in the folder of images: white space around captions goes, and empty
    /// captions are left out.
    case learning
    /// To be scored, without photos: every caption as it stands.
    case scoring
  }

  let path: String
  private let folder: ImageFolder
  private let split: CaptionSplit
  private let purpose: Purpose
  private var images: [CaptionedImage] = []
  /// The id of each image in the file, and the one that it gets if it has none.
  private var ids: [(own: ImageID?, place: Int)] = []
  private var indexOfID: [ImageID: Int] = [:]
  private var indexOfName: [ExactName: Int] = [:]
  private var emptyCaptions: [String] = []
  private var faults: [DatasetError] = []
  private var respelled: [String] = []
  /// Where captions are no UTF-8.
  private var respelledCaptions: [String] = []
  /// Whether the file is a caption a line, without names.
  private(set) var isPlain = false

  init(path: String, folder: String, split: CaptionSplit, purpose: Purpose = .learning) {
    self.path = path
    self.folder = ImageFolder(folder)
    self.split = split
    self.purpose = purpose
  }

  /// Reads the file, as what the first format takes it for that recognises it.
  mutating func read() throws(DatasetError) {
    let source = try CaptionSource(path: path, images: folder.path)
    guard let format = CaptionFormats.all.first(where: { $0.recognises(source) }) else {
      guard purpose == .scoring, source.firstByte != nil else {
        let found = source.lines.first { _ in true }.map {
          "text that begins with \(String(decoding: $0.bytes.prefix(40), as: UTF8.self).debugDescription)"
        }
        throw .unrecognised(path: path, found: found ?? "white space")
      }
      isPlain = true
      return PlainLines.read(source, into: &self)
    }
    try format.read(source, into: &self)
  }

  /// Adds what is wanted of a list of images.
  /// - Parameters:
  ///   - splits: the split of each.
  ///   - add: adds the image at a place.
  mutating func add(
    _ splits: [String?], _ add: (inout CaptionReader, Int) -> Void
  ) throws(DatasetError) {
    for place in try chosen(splits) { add(&self, place) }
  }

  /// Refuses a split that was asked for by name, for files that have none.
  func refuseNamedSplit() throws(DatasetError) { _ = try chosen([nil]) }

  /// Which places in a list of images to take, given the split of each.
  private func chosen(_ splits: [String?]) throws(DatasetError) -> [Int] {
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

  /// Notes what can't be read and is left out.
  mutating func note(_ fault: DatasetError) { faults.append(fault) }

  /// Adds an image.
  /// - Parameters:
  ///   - id: its id in the file.
  ///   - place: its id if it has none, unless another image has it.
  ///   - fileName: its file; captions that are learned need one.
  /// - Returns: its index; nil when it is left out, which is noted.
  mutating func addImage(
    id: ImageID?, place: Int, fileName: String?, location: @autoclosure () -> String, fileKey: String
  ) -> Int? {
    var located = fileName ?? ""
    if purpose == .learning {
      guard let fileName else {
        note(.missing(path: path, location: location() + fileKey))
        return nil
      }
      guard let found = folder.name(of: fileName) else {
        note(.unsafeFileName(path: path, location: location() + fileKey, name: fileName))
        return nil
      }
      located = found.name
      if found.isRespelled { respelled.append(fileName) }
    }
    if let id, indexOfID[id] != nil {
      note(.duplicate(path: path, location: location(), id: id))
      return nil
    }
    if let id { indexOfID[id] = images.count }
    if let fileName { indexOfName[ExactName(fileName)] = images.count }
    images.append(CaptionedImage(id: place, fileName: located, folder: folder.path))
    ids.append((id, place))
    return images.count - 1
  }

  /// The index of the image with an id.
  func index(ofImage id: ImageID) -> Int? { indexOfID[id] }

  /// The index of the image that the file calls so.
  func index(ofImageNamed name: String) -> Int? { indexOfName[ExactName(name)] }

  /// Adds a caption, without the white space around it if it is to be learned, to an image.
  mutating func addCaption(_ caption: String, to image: Int, location: @autoclosure () -> String) {
    var caption = caption
    if let repaired = TextEncoding.repaired(caption) {
      caption = repaired
      respelledCaptions.append(location())
    }
    guard purpose == .learning else { return images[image].captions.append(caption) }
    caption = caption.trimmed
    if caption.isEmpty { emptyCaptions.append(location()) } else { images[image].captions.append(caption) }
  }

  /// Adds a caption by its image's name, both as bytes; images are numbered in the order in which they come.
  mutating func add(name: some Collection<UInt8>, caption: some Collection<UInt8>, location: String) {
    let name = String(decoding: name, as: UTF8.self)
    let caption = String(decoding: caption, as: UTF8.self)
    if let image = index(ofImageNamed: name)
      ?? addImage(id: nil, place: images.count, fileName: name, location: location, fileKey: "")
    {
      addCaption(caption, to: image, location: location)
    }
  }

  /// What was gathered.
  /// - Throws: the first fault of a file of which nothing can be used.
  mutating func finished() throws(DatasetError) -> CaptionDataset {
    if let first = faults.first, images.allSatisfy(\.captions.isEmpty) { throw first }
    number()
    var warnings: [String] = []
    if let first = faults.first {
      warnings.append("\(path): \(faults.count) entries left out, the first: \(first.within(path))")
    }
    if let first = emptyCaptions.first {
      warnings.append("\(path): \(emptyCaptions.count) empty captions left out, the first at \(first)")
    }
    if let first = respelled.first {
      warnings.append(
        "\(path): \(respelled.count) files are there under the other Unicode normalisation, or another encoding or path, of their names, "
          + "the first \(first)")
    }
    if let first = respelledCaptions.first {
      warnings.append(
        "\(path): \(respelledCaptions.count) captions are not UTF-8, the first at \(first): read as Windows-1252 "
          + "(Latin-1)")
    }
    let bare = images.lazy.filter(\.captions.isEmpty)
    if let first = bare.first {
      warnings.append("\(path): \(bare.count) images without a caption, the first \(first.fileName)")
    }
    return CaptionDataset(
      images: images, emptyCaptions: emptyCaptions.map { "\(path): \($0)" },
      brokenEntries: faults.map(\.description), respelledNames: respelled, warnings: warnings)
  }

  /// Gives every image its number: its id if that is one, else its place, else one that is free.
  private mutating func number() {
    var taken = Set(ids.lazy.compactMap { $0.own?.number })
    var free = 0
    for (index, id) in ids.enumerated() {
      if let number = id.own?.number {
        images[index].id = number
      } else {
        var number = id.place
        if taken.contains(number) {
          while taken.contains(free) { free += 1 }
          number = free
        }
        taken.insert(number)
        images[index].id = number
      }
      if let own = id.own { indexOfID[own] = index }
      images[index].fileID = id.own
    }
  }

  /// The numbers of images by the ids that the file gives them.
  var numbers: [ImageID: Int] { indexOfID.mapValues { images[$0].id } }

  /// The numbers of images by their names.
  var numbersOfNames: [ExactName: Int] { indexOfName.mapValues { images[$0].id } }
}

extension String {
  /// Without white space at its ends.
  fileprivate var trimmed: String {
    // Nearly all captions begin and end with an ASCII letter or full stop.
    if let first = utf8.first, let last = utf8.last, 0x21..<0x7F ~= first, 0x21..<0x7F ~= last { return self }
    return trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
