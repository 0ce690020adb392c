internal import Datasets
internal import Language
internal import CaptionMetrics
internal import Support

/// The captions of the training or the validation images as words, and the files of those images that have some.
struct TrainingSplit: Sendable {
  /// For messages: the caption files' names.
  let name: String
  /// The images' files, a row each.
  let files: [String]
  /// What they are called in their folder.
  let fileNames: [String]
  /// The same, with the folder's number where there are several: the same wherever the folders are.
  let names: [String]
  /// Tells lists of images with the same names apart: empty, or what they are for.
  let role: String
  /// All captions, image after image.
  let tokens: TokenizedCaptions
  /// The row of each caption's image.
  let rows: [Int]
  /// Where in `tokens` the captions of each row begin, and where the last ends.
  private let starts: [Int]

  /// - Parameters:
  ///   - paths: the files that the data set was read from.
  ///   - training: the images that the run learns from, if these are others.
  /// - Throws: `DatasetError`, `TrainingError.noCaptions`.
  init(_ dataset: CaptionDataset, paths: [String], besides training: TrainingSplit? = nil) throws {
    _ = try dataset.missingFiles()
    tokens = dataset.tokenized()
    var (files, rows, starts) = ([String](), [Int](), [Int]())
    var (fileNames, folders, folderOfRow) = ([String](), [String: Int](), [Int]())
    rows.reserveCapacity(tokens.count)
    var last = -1
    // Images without a caption get no row.
    for (caption, image) in tokens.imageIndexes.enumerated() {
      if image != last {
        let image = dataset.images[image]
        files.append(image.path)
        fileNames.append(image.fileName)
        folderOfRow.append(folders[image.folder] ?? folders.count)
        folders[image.folder] = folderOfRow.last
        starts.append(caption)
      }
      last = image
      rows.append(files.count - 1)
    }
    guard !files.isEmpty else {
      throw TrainingError.noCaptions(paths: paths)
    }
    name = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: ", ")
    self.files = files
    self.rows = rows
    self.starts = starts + [tokens.count]
    self.fileNames = fileNames
    names = folders.count > 1 ? zip(folderOfRow, fileNames).map { "\($0)/\($1)" } : fileNames
    role =
      training.map { $0.files.map(ExactName.init) == files.map(ExactName.init) } ?? true ? "" : "validation"
  }

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
