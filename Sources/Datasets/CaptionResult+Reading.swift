extension CaptionResult {
  /// Reads captions that some program made: COCO's results JSON; JSON lines, as `captioner caption --format json` prints
  /// them; any caption file, of which each image's first caption counts; or text of a caption a line.
  /// - Parameter references: the captions whose images are meant by file names and by ids that are no integers.
  /// - Throws: `DatasetError` when it can't be read, has two results for one image or one for an image that
  ///   `references` lacks, or when one of both is a caption a line and the other is not.
  public static func read(
    from path: String, about references: ReferenceCaptions? = nil
  ) throws(DatasetError) -> [CaptionResult] {
    let source = try CaptionSource(path: path, images: "")
    var results: [CaptionResult] = []
    var isPlain = false
    var seen: Set<Int> = []
    func add(_ entry: ResultEntry, _ location: String) throws(DatasetError) {
      let number = try entry.number(among: references, path: path, location: location)
      guard let caption = entry.caption else { return }
      guard seen.insert(number).inserted else {
        throw .duplicate(path: path, location: location + entry.idKey, id: .number(number))
      }
      results.append(
        CaptionResult(
          imageID: number, caption: TextEncoding.repaired(caption) ?? caption, logProb: entry.logProb,
          referenceLogProbs: entry.referenceLogProbs))
    }
    if EntryListFormat.recognises(source) {
      for (place, entry) in try source.decodeJSON([ResultEntry].self).enumerated() {
        try add(entry, "[\(place)]")
      }
    } else if JSONLinesFormat.recognises(source) {
      for (number, line) in source.lines {
        do throws(DatasetError) {
          try add(decodeJSON(ResultEntry.self, from: line, path: path), "line \(number)")
        } catch .duplicate(let path, let location, let id) {
          throw .duplicate(path: path, location: location, id: id)
        } catch {
          throw error.after("line \(number)")
        }
      }
    } else {
      var reader = CaptionReader(path: path, folder: "", split: .all, purpose: .scoring)
      try reader.read()
      isPlain = reader.isPlain
      for image in try reader.finished().images {
        guard let caption = image.captions.first else { continue }
        try add(
          ResultEntry(id: image.fileName.isEmpty ? .number(image.id) : nil, name: image.fileName, caption),
          image.fileName)
      }
    }
    if let references, references.isPlain != isPlain || isPlain && results.count != references.captions.count
    {
      throw .unexpected(
        path: path, location: "its lines",
        expected: references.isPlain
          ? "\(references.captions.count) captions, one a line, as the references are"
          : "images with names or ids, as the references have",
        found: isPlain ? "\(results.count) captions without names" : "captions of images")
    }
    return results
  }
}

/// A result as files have it.
private struct ResultEntry: Decodable {
  private enum Key: String, CodingKey {
    case image_id, id, caption, captions, text, log_prob, reference_log_probs, error
  }

  /// A caption among several, the best first.
  private struct Spoken: Decodable {
    let caption: String
    let log_prob: Float?
  }

  let id: ImageID?
  let name: String?
  /// The caption; nil where the image could not be captioned.
  let caption: String?
  var logProb: Float?
  var referenceLogProbs: [Float]?

  init(id: ImageID?, name: String?, _ caption: String) {
    self.id = id
    self.name = name
    self.caption = caption
  }

  init(from decoder: any Decoder) throws {
    let names = try decoder.container(keyedBy: CaptionEntry.NameKey.self)
    let container = try decoder.container(keyedBy: Key.self)
    let nameKey = CaptionEntry.NameKey.allCases.first(where: names.contains)
    let hasOwnID = container.contains(.id) && nameKey == nil
    id =
      try container.contains(.image_id)
      ? container.decode(ImageID.self, forKey: .image_id)
      : hasOwnID
        ? container.decode(ImageID.self, forKey: .id)
        : nameKey == nil ? container.decode(ImageID.self, forKey: .image_id) : nil
    name = try nameKey.map { try names.decode(String.self, forKey: $0) }
    logProb = try container.decodeIfPresent(Float.self, forKey: .log_prob)
    referenceLogProbs = try container.decodeIfPresent([Float].self, forKey: .reference_log_probs)
    if container.contains(.caption) || !container.contains(.captions) {
      if container.contains(.text) {
        caption = try container.decode(String.self, forKey: .text)
      } else if container.contains(.error), !container.contains(.caption) {
        caption = nil
      } else {
        caption = try container.decode(String.self, forKey: .caption)
      }
    } else if let texts = try? container.decode([String].self, forKey: .captions) {
      caption = texts.first
    } else {
      let best = try container.decode([Spoken].self, forKey: .captions).first
      caption = best?.caption
      logProb = best?.log_prob ?? logProb
    }
  }

  /// The key that names the image, for messages.
  var idKey: String { id == nil ? "" : ".image_id" }

  /// The number of the image that is meant.
  func number(
    among references: ReferenceCaptions?, path: String, location: String
  ) throws(DatasetError) -> Int {
    if let id {
      // A number that nobody knows is told of with all others of its kind.
      if let number = references?.number(of: id) ?? id.number { return number }
    }
    if let name, let number = references?.number(ofFile: name) { return number }
    guard let name else { throw .unknownImage(path: path, location: location, id: id ?? .text("")) }
    throw .unexpected(
      path: path, location: location, expected: "an image of the references", found: name.debugDescription)
  }
}
