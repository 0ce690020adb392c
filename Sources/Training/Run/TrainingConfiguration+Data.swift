public import Datasets
internal import Foundation
internal import Imaging

extension TrainingConfiguration {
  /// The images and captions to train on.
  public func trainingDataset() throws(DatasetError) -> CaptionDataset {
    try isDivided ? divided().train : undivided()
  }

  /// Those to validate on; without files of their own they are a share of the training images, or another split of the
  /// training files.
  public func validationDataset() throws(DatasetError) -> CaptionDataset {
    let folders = self.validationImages.isEmpty ? imageFolders : self.validationImages
    guard self.validationCaptions.isEmpty else {
      return try CaptionDataset(
        paths: self.validationCaptions, images: folders,
        split: CaptionSplit(self.validationSplit, unlessNamed: "val")
      ).skipping(skipList())
    }
    if isDivided { return try divided().validation }
    let split = CaptionSplit(self.validationSplit.isEmpty ? "val" : self.validationSplit, unlessNamed: "val")
    do {
      return try CaptionDataset(paths: self.captions, images: folders, split: split).skipping(skipList())
    } catch .noSplit(let path, let split, let found) {
      throw .noValidationSplit(path: path, split: split, found: found)
    }
  }

  /// What shares of a batch the caption files have, where they have weights, in words.
  func weightNotes(_ train: CaptionDataset) -> [String] {
    guard !self.weights.isEmpty, self.weights.count == self.captions.count else { return [] }
    var counts = [Int](repeating: 0, count: self.weights.count)
    for image in train.images { counts[image.source] += image.captions.count }
    let sum = self.weights.reduce(0, +)
    return zip(zip(self.captions, counts), self.weights).map { file, weight in
      "\(file.0): \(file.1) captions, " + String(format: "%.1f %% of each batch", 100 * weight / sum)
    }
  }

  /// How photos are read.
  /// - Parameter warn: told of what is odd about one, on any thread.
  func imageReader(warn: @escaping @Sendable (String) -> Void = { _ in }) -> ImageReader {
    var reader = ImageReader()
    reader.isLenient = self.lenient
    reader.maximumPixels = self.maximumPixels
    reader.decoding = decoding
    reader.warn = warn
    return reader
  }

  /// The images that are left out.
  public func skipList() throws(DatasetError) -> SkipList { try SkipList(paths: self.skip) }

  /// The folders of the training images; with features of them none need be named.
  private var imageFolders: [String] {
    self.images.isEmpty && !self.features.isEmpty ? [""] : self.images
  }

  /// Whether validation takes a share of the training images.
  private var isDivided: Bool {
    self.validationShare > 0 && self.validationCaptions.isEmpty && self.validationSplit.isEmpty
  }

  private func undivided() throws(DatasetError) -> CaptionDataset {
    try CaptionDataset(
      paths: self.captions, images: imageFolders, split: CaptionSplit(self.split, unlessNamed: "train")
    ).skipping(skipList())
  }

  private func divided() throws(DatasetError) -> (train: CaptionDataset, validation: CaptionDataset) {
    try undivided().divided(validationShare: self.validationShare, seed: self.seed)
  }
}
