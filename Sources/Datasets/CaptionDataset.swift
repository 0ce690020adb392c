internal import Glibc
public import Support

/// An image and the captions people wrote for it.
public struct CaptionedImage: Sendable, Equatable {
  /// The image's number in its dataset.
  public internal(set) var id: Int
  /// Its file as the caption file names it, relative to the folder of images; never leaves that folder.
  public let fileName: String
  /// The folder of images; empty where none was named.
  public let folder: String
  /// Its captions, none empty; there may be none at all.
  public internal(set) var captions: [String]
  /// Which of several caption files it is from; 0 of one.
  public internal(set) var source = 0
  /// Its id as its caption file has it; nil: it has none there.
  public internal(set) var fileID: ImageID?

  init(id: Int, fileName: String, folder: String = "", captions: [String] = []) {
    self.id = id
    self.fileName = fileName
    self.folder = folder
    self.captions = captions
  }

  /// Its file's path.
  public var path: String { folder.isEmpty ? fileName : folder + "/" + fileName }
}

/// Captioned images in the order of their file.
public struct CaptionDataset: Sendable, Equatable {
  /// The images; no id comes twice.
  public internal(set) var images: [CaptionedImage]
  /// What is odd about the file but can be lived with: one line each, for people.
  public internal(set) var warnings: [String]

  /// Where captions were left out because they are empty.
  public internal(set) var emptyCaptions: [String]

  /// What was left out because it can't be read: one line each, with its place.
  public internal(set) var brokenEntries: [String]

  /// Names that are there under their other Unicode normalisation only.
  public internal(set) var respelledNames: [String]

  /// The lines of a `SkipList` that named images which were left out.
  public internal(set) var skipped: Set<ExactName> = []

  /// No images.
  public init() { self.init(images: [], emptyCaptions: [], warnings: []) }

  init(
    images: [CaptionedImage], emptyCaptions: [String], brokenEntries: [String] = [],
    respelledNames: [String] = [], warnings: [String]
  ) {
    self.images = images
    self.emptyCaptions = emptyCaptions
    self.brokenEntries = brokenEntries
    self.respelledNames = respelledNames
    self.warnings = warnings
  }

  /// Reads a caption file of any of these kinds, told apart by content:
  /// - COCO caption JSON: `{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}`;
  /// - Karpathy's split JSON (`dataset_coco.json`): `{"images": [{"filename", "filepath", "cocoid", "split",
  ///   "sentences": [{"raw"}]}]}`;
  /// - lists of `{"file_path", "captions", "id", "split"}` (neuraltalk2, the last two optional) or of `{"image",
  ///   "caption"}` (BLIP, a caption or a list of them);
  /// - JSON lines of `{"file_name", "text"}`, or as `captioner caption --format json` prints them;
  /// - Flickr's token files: lines of `name.jpg#0<tab>caption`;
  /// - tables with a line of titles: `image,caption` (Kaggle), `image_name| comment_number| comment` (Flickr30k);
  /// - a folder of `NAME.txt` beside `NAME.jpg`, a caption a line.
  ///
  /// Other keys are ignored. Images of files that give no ids, or ids that are no integers, are numbered. What is broken
  /// costs itself alone and is noted in `brokenEntries`; images without a caption and empty captions, which are left
  /// out, are noted in `warnings`. File names may be absolute inside `folder`, and have backslashes.
  /// - Parameters:
  ///   - path: the file.
  ///   - folder: the folder of its images.
  ///   - split: which images to take.
  /// - Throws: `DatasetError` when the file can't be read, is none of these, has no such split, or holds nothing but
  ///   broken entries.
  public init(path: String, images folder: String = "", split: CaptionSplit = .all) throws(DatasetError) {
    var reader = CaptionReader(path: path, folder: folder, split: split)
    try reader.read()
    self = try reader.finished()
  }

  /// The number of captions of all images.
  public var captionCount: Int { images.reduce(0) { $0 + $1.captions.count } }

  /// The paths of the images whose files are not there, in order.
  /// - Throws: `DatasetError.file` when a folder of images is no folder that can be searched.
  public func missingFiles() throws(DatasetError) -> [String] {
    var checked: Set<String> = []
    for image in images where checked.insert(image.folder).inserted {
      var status = stat()
      let folder = image.folder.isEmpty ? "." : image.folder
      guard stat(FileName.path(folder), &status) == 0 else {
        throw .file(FileError(path: folder, action: "open", errno: errno))
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw .file(FileError(path: folder, action: "open", reason: "not a folder"))
      }
    }
    return images.map(\.path).filter { access(FileName.path($0), F_OK) != 0 }
  }
}
