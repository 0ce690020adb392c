internal import Datasets
internal import Language
internal import CaptionMetrics
internal import Support

/// The captions of the training or the validation images as words, and the files of those images that have some.
struct TrainingSplit: Sendable {
  /// The images that have captions, a row each.
  let photos: PhotoList
  /// All captions, image after image.
  let tokens: TokenizedCaptions
  /// The row of each caption's image.
  let rows: [Int]
  /// Which caption file each row's image is from.
  let sources: [Int]
  /// Where in `tokens` the captions of each row begin, and where the last ends.
  private let starts: [Int]

  /// - Parameters:
  ///   - paths: the files that the data set was read from.
  ///   - training: the images that the run learns from, if these are others.
  /// - Throws: `DatasetError`, `TrainingError.noCaptions`.
  init(_ dataset: CaptionDataset, paths: [String], besides training: TrainingSplit? = nil) throws {
    _ = try dataset.missingFiles()
    tokens = dataset.tokenized()
    var (photos, rows, starts) = ([(folder: String, fileName: String)](), [Int](), [Int]())
    var sources: [Int] = []
    var ids: [ImageID?] = []
    rows.reserveCapacity(tokens.count)
    var last = -1
    // Images without a caption get no row.
    for (caption, image) in tokens.imageIndexes.enumerated() {
      if image != last {
        let image = dataset.images[image]
        photos.append((image.folder, image.fileName))
        sources.append(image.source)
        ids.append(image.fileID)
        starts.append(caption)
      }
      last = image
      rows.append(photos.count - 1)
    }
    guard !photos.isEmpty else {
      throw TrainingError.noCaptions(paths: paths)
    }
    let files = photos.map { $0.folder.isEmpty ? $0.fileName : $0.folder + "/" + $0.fileName }
    let isTrained = training.map { $0.files.map(ExactName.init) == files.map(ExactName.init) } ?? true
    self.photos = PhotoList(paths, photos, ids: ids, role: isTrained ? "" : "validation")
    self.rows = rows
    self.sources = sources
    self.starts = starts + [tokens.count]
  }

  /// The images' files, and what they are called wherever the folders are.
  var files: [String] { photos.files }
  var names: [String] { photos.names }

  /// All captions of the image of a row.
  func references(of row: Int) -> [[String]] { (starts[row]..<starts[row + 1]).map { tokens[$0] } }

  /// The captions as word ids, and their images' rows.
  func encoded(by vocabulary: Vocabulary) -> (captions: EncodedCaptions, rows: [Int]) {
    (tokens.encoded(by: vocabulary), rows)
  }

  /// The captions that a run learns from, as word ids, and their images' rows: of each image those that agree most, if
  /// it wants that, and none that is too long; and how many were too long.
  func learned(
    by vocabulary: Vocabulary, _ configuration: TrainingConfiguration
  ) -> (captions: EncodedCaptions, rows: [Int], long: Int) {
    let all = tokens.encoded(by: vocabulary)
    let (consensus, limit) = (configuration.consensus, configuration.lengthLimit)
    guard consensus > 0 || limit != nil else { return (all, rows, 0) }
    var result = (captions: EncodedCaptions(), rows: [Int](), long: 0)
    for row in files.indices {
      let places =
        consensus > 0
        ? Consensus.mostAgreed(references(of: row), keep: consensus).map { starts[row] + $0 }
        : Array(starts[row]..<starts[row + 1])
      for place in places {
        let caption = all[place]
        let kept = limit.map { $0(caption) } ?? caption
        if kept?.count != caption.count { result.long += 1 }
        guard let kept else { continue }
        result.captions.append(kept)
        result.rows.append(row)
      }
    }
    return result
  }
}
