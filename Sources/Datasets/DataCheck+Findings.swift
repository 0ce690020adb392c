internal import Foundation
internal import Imaging
internal import Kernels
internal import Language
public import Support
internal import Synchronization

extension Finding.Kind {
  private static let orSkip =
    ", or leave them out: --skip-list FILE here, then --skip FILE in train and evaluate"

  /// A caption file that can't be read at all.
  public static let captionFile = Self(
    "caption_file", "caption files that can't be read", remedy: "correct the file or name another")
  static let missingImage = Self(
    "missing_image", "images that are not there",
    remedy: "put the files there, correct their names or --images" + orSkip)
  static let damagedImage = Self(
    "damaged_image", "images that can't be read", remedy: "get them again from where they come from" + orSkip)
  static let imageWithoutCaption = Self(
    "image_without_caption", "images without a caption",
    remedy: "write captions for them; training leaves them out")
  static let emptyCaption = Self(
    "empty_caption", "empty captions", remedy: "write or delete them; training leaves them out")
  static let brokenEntry = Self(
    "broken_entry", "entries that can't be read", remedy: "correct them; every command leaves them out")
  static let captionWithoutWords = Self(
    "caption_without_words", "captions of nothing but punctuation",
    remedy: "write or delete them: training would learn to say nothing")
  static let repeatedImage = Self(
    "repeated_image", "images that come twice",
    remedy: "give one of them all the captions, or leave the later ones out: --skip-list FILE here, then "
      + "--skip FILE in train and evaluate")
  static let repeatedCaption = Self(
    "repeated_caption", "captions that come twice for one image",
    remedy: "nothing need be done: they count twice", isNote: true)
  static let sharedImage = Self(
    "shared_image", "validation images that training sees",
    remedy:
      "scores on them say nothing about other photos: validate on other images (--validation-share 0.1), or "
      + "leave copies out: --skip-list FILE here, then --skip FILE in train")
  static let alikeNames = Self(
    "alike_names", "names that differ only in Unicode normalisation",
    remedy:
      "they are two images, told apart by bytes: rename one, or correct the caption file if one was meant")
  static let respelledName = Self(
    "respelled_name", "names whose files have the other Unicode normalisation",
    remedy: "nothing need be done: the files are taken", isNote: true)
  static let identicalCaptions = Self(
    "identical_captions", "captions that are all the same",
    remedy: "a model learns to say that of every photo: write captions that tell the photos apart")
  static let longCaption = Self(
    "long_caption", "captions of more than \(DataCheck.longCaption) words",
    remedy:
      "train --max-length 40 clips them, --long-captions drop leaves them out; models say at most 20 words "
      + "unless caption --max-length asks for more")
  static let unknownWords = Self(
    "unknown_words", "words that become <unk>",
    remedy: "a lower --min-count keeps more words, more captions have them more often")
  static let hugeImage = Self(
    "huge_image", "images of more than \(DataCheck.hugeImage / 1_000_000) megapixels",
    remedy: "smaller copies are read in a fraction of the time: a network sees a few hundred pixels a side")
}

extension DataCheck {
  /// Words from which on a caption is long for one of a photo.
  static let longCaption = 50
  /// Pixels from which on an image takes long to read.
  static let hugeImage = 100_000_000

  /// All that is wrong with the two sets, in order of what it costs.
  ///
  /// An image is in `Finding.image` where leaving it out helps: missing and damaged ones, copies within a set, and
  /// validation images that are copies of training images.
  public func findings(train: CaptionDataset, validation: CaptionDataset) -> [Finding] {
    let sets = [(train, self.train), (validation, self.validation)]
    // What is said of a file or a picture is said once, whatever sets it is in.
    var findings: [Finding] = []
    var seen: Set<[ExactName]> = []
    func add(_ found: [Finding]) {
      for finding in found
      where seen.insert([finding.kind.name, finding.place, finding.problem].map(ExactName.init)).inserted {
        findings.append(finding)
      }
    }
    for (_, split) in sets {
      add(split.missingImages.map { Finding(.missingImage, at: $0.image, line: $0.reason, image: $0.image) })
      add(split.corruptImages.map { Finding(.damagedImage, at: $0.image, line: $0.reason, image: $0.image) })
    }
    for (_, split) in sets {
      add(split.brokenEntries.map { Self.located(.brokenEntry, $0, parts: 2) })
      add(split.emptyCaptions.map { Finding(.emptyCaption, at: $0, "the caption is empty") })
      add(split.imagesWithoutCaptions.map { Finding(.imageWithoutCaption, at: $0, "nobody described it") })
      add(split.captionsWithoutWords.map { Self.located(.captionWithoutWords, $0) })
    }
    for (_, split) in sets { add(split.repeatedImages.map { Self.twins(.repeatedImage, $0) }) }
    add(sharedImages.map { Self.twins(.sharedImage, $0) })
    add(alikeNames(train.images + validation.images))
    for (name, (dataset, split)) in zip(["training", "validation"], sets) {
      add(captionFindings(dataset, split, name))
    }
    add(hugeImages(train.images + validation.images))
    for (dataset, split) in sets {
      add(dataset.respelledNames.map { Finding(.respelledName, at: $0, "is there under another spelling") })
      add(split.repeatedCaptions.map { Self.located(.repeatedCaption, $0) })
    }
    return findings
  }

  /// A finding of a line `PLACE: PROBLEM`, whose place may have several parts.
  private static func located(_ kind: Finding.Kind, _ line: String, parts count: Int = 1) -> Finding {
    let parts = line.components(separatedBy: ": ")
    let count = min(count, parts.count - 1)
    return Finding(
      kind, at: parts[..<count].joined(separator: ": "), parts[count...].joined(separator: ": "))
  }

  private static func twins(_ kind: Finding.Kind, _ twins: Twins) -> Finding {
    let isCopy = ExactName(twins.image) != ExactName(twins.first)
    return Finding(
      kind, at: twins.image, isCopy ? "the same picture as \(twins.first)" : "it comes before too",
      image: isCopy ? twins.image : nil)
  }

  /// Files whose names people can't tell apart. (Two texts that differ only in normalisation are equal to Swift.)
  private func alikeNames(_ images: [CaptionedImage]) -> [Finding] {
    var first: [String: ExactName] = [:]
    return images.compactMap { image in
      guard let other = first.updateValue(ExactName(image.path), forKey: image.path) else { return nil }
      first[image.path] = other
      return other == ExactName(image.path)
        ? nil : Finding(.alikeNames, at: image.path, "another image has the name in other bytes")
    }
  }

  /// What is wrong with a set's captions as a whole, and long ones.
  private func captionFindings(_ dataset: CaptionDataset, _ split: Split, _ name: String) -> [Finding] {
    var findings: [Finding] = []
    let place = "\(name) captions"
    let captions = dataset.images.lazy.flatMap(\.captions)
    if let first = captions.first, dataset.images.count > 1, captions.dropFirst().count > 0,
      captions.allSatisfy({ $0 == first })
    {
      findings.append(Finding(.identicalCaptions, at: place, "all \(split.captions) say: \(first)"))
    }
    if split.words.coverage < Vocabulary.Statistics.leastCoverage {
      let known = (split.words.coverage * 1000).rounded() / 10
      findings.append(
        Finding(
          .unknownWords, at: place,
          "the vocabulary of the training captions covers only \(known) % of the words"))
    }
    for image in dataset.images {
      for caption in image.captions where caption.utf8.count > 2 * Self.longCaption {
        let words = caption.split(whereSeparator: \.isWhitespace).count
        if words > Self.longCaption {
          findings.append(
            Finding(.longCaption, at: image.path, "\(words) words: \(caption.shortened(to: 60))"))
        }
      }
    }
    return findings
  }

  private func hugeImages(_ images: [CaptionedImage]) -> [Finding] {
    let reader = ImageReader()
    let sizes = Mutex([ImageSize?](repeating: nil, count: images.count))
    ThreadPool.shared.run(images.count) { number in
      guard let size = try? reader.size(contentsOf: images[number].path), size.pixels > Self.hugeImage else {
        return
      }
      sizes.withLock { $0[number] = size }
    }
    return zip(images, sizes.withLock { $0 }).compactMap { image, size in
      size.map { Finding(.hugeImage, at: image.path, "\($0.width) x \($0.height) pixels") }
    }
  }
}
