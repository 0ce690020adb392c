internal import Glibc
internal import Support

/// What a folder has of a data set as it is distributed.
public struct FolderCheck: Sendable, Encodable {
  /// A split, and what is there of it.
  public struct Part: Sendable, Equatable, Encodable {
    /// Its name; `all` of a file without splits.
    public let split: String
    /// Its caption file, and the folder of its photos; of one that is missing the usual place.
    public let captions, images: String
    /// How many images and captions the file has; nil: it is not there.
    public let imageCount, captionCount: Int?
    /// How many it should have; nil where files that are about differ.
    public let expectedImages, expectedCaptions: Int?
    /// How many of the photos are missing, and the first of them; all where there is no caption file to ask.
    public let missingPhotos: Int
    /// The first of them.
    public let firstMissing: String?
    /// What is wrong, a line each; empty: all is there.
    public let problems: [String]
  }

  /// The data set's word.
  public let dataset: String
  /// Which of its forms was found, for people; the usual one if nothing was found.
  public let form: String
  /// Its splits.
  public let parts: [Part]
  /// What trains on it, as words of a command line after `train`; nil: there is nothing to train on.
  public let training: [String]?

  /// Whether everything is there.
  public var isWhole: Bool { parts.allSatisfy { $0.problems.isEmpty } }

  /// Looks at a folder. Of several forms that are there the one of which most is: a folder with the files of 2014 is not
  /// one of 2017 of which all is missing.
  /// - Parameter progress: called with the number of splits looked for so far and of all.
  /// - Throws: `DatasetError.file` when it is no folder.
  public init(
    _ folder: String, _ dataset: DistributedDataset, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(DatasetError) {
    _ = try FolderNames.of(folder)
    self.dataset = dataset.name
    let all = dataset.forms.reduce(0) { $0 + $1.parts.count }
    var done = 0
    var best: (form: DistributedDataset.Form, parts: [Part], there: Int)?
    for form in dataset.forms {
      let parts = form.parts.map { part in
        defer {
          done += 1
          progress(done, all)
        }
        return Part(part, in: folder)
      }
      let there = parts.count { $0.imageCount != nil } * 2 + parts.count { $0.hasPhotos }
      if best.map({ there > $0.there }) ?? true { best = (form, parts, there) }
    }
    form = best?.form.title ?? ""
    parts = best?.parts ?? []
    training = Self.training(parts)
  }

  /// How to train on what is there: a validation split where there is one, else a share of the images.
  private static func training(_ parts: [Part]) -> [String]? {
    guard let train = parts.first(where: { ["train", "all"].contains($0.split) && $0.isUsable }) else {
      return nil
    }
    var words = ["--captions", train.captions, "--images", train.images]
    if train.split == "all" { return words + ["--validation-share", "0.05"] }
    guard let validation = parts.first(where: { $0.split == "val" && $0.isUsable }) else {
      return words + ["--split", "train", "--validation-share", "0.05"]
    }
    // A file with splits is divided by itself.
    if validation.captions != train.captions {
      words += ["--validation-captions", validation.captions]
      if validation.images != train.images { words += ["--validation-images", validation.images] }
    }
    return words
  }
}

extension FolderCheck.Part {
  /// Whether there is a folder with some of its photos.
  var hasPhotos: Bool { imageCount.map { $0 > missingPhotos } ?? (missingPhotos == 0) }
  /// Whether there is something to train on.
  var isUsable: Bool { imageCount.map { $0 > missingPhotos } ?? false }

  init(_ part: DistributedDataset.Part, in folder: String) {
    func path(_ place: String) -> String { place == "." ? folder : "\(folder)/\(place)" }
    func exists(_ path: String) -> Bool { access(FileName.path(path), F_OK) == 0 }
    split = part.split
    expectedImages = part.imageCount
    expectedCaptions = part.captionCount
    let file = part.captions.map(path).first(where: exists)
    let photos = part.images.map(path).first { photos in
      exists(photos)
        && (part.subfolders.isEmpty || part.subfolders.contains { exists("\(photos)/\($0)") })
    }
    captions = file ?? path(part.captions[0])
    images = photos ?? path(part.images[0])
    var problems: [String] = []
    if photos == nil { problems.append("\(images): missing, the folder of its photos") }
    guard let file else {
      (imageCount, captionCount, missingPhotos, firstMissing) = (nil, nil, photos == nil ? 1 : 0, nil)
      self.problems = ["\(captions): missing, its captions"] + problems
      return
    }
    let data: CaptionDataset
    do {
      data = try CaptionDataset(path: file, images: photos ?? "", split: part.selection)
    } catch {
      (imageCount, captionCount, missingPhotos, firstMissing) = (nil, nil, photos == nil ? 1 : 0, nil)
      self.problems = ["\(error)"] + problems
      return
    }
    imageCount = data.images.count
    captionCount = data.captionCount
    problems += data.brokenEntries.prefix(1).map {
      "\(data.brokenEntries.count) broken entries, the first: \($0)"
    }
    for (expected, found, things) in [
      (expectedImages, data.images.count, "images"), (expectedCaptions, data.captionCount, "captions"),
    ] {
      if let expected, expected != found {
        problems.append("\(file): expected \(expected) \(things), found \(found)")
      }
    }
    let absent =
      photos == nil ? data.images.map(\.path) : (try? data.missingFiles()) ?? data.images.map(\.path)
    missingPhotos = absent.count
    firstMissing = absent.first
    if photos != nil, let first = absent.first {
      problems.append("\(absent.count) of \(data.images.count) photos are missing, the first \(first)")
    }
    self.problems = problems
  }
}
