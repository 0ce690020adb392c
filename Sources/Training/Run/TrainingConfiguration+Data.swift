public import Datasets

extension TrainingConfiguration {
  /// The images and captions to train on.
  public func trainingDataset() throws(DatasetError) -> CaptionDataset {
    try CaptionDataset(
      paths: self.captions, images: self.images, split: CaptionSplit(self.split, unlessNamed: "train"))
  }

  /// Those to validate on; without files of their own they are another split of the training files.
  public func validationDataset() throws(DatasetError) -> CaptionDataset {
    let folders = self.validationImages.isEmpty ? self.images : self.validationImages
    guard self.validationCaptions.isEmpty else {
      return try CaptionDataset(
        paths: self.validationCaptions, images: folders,
        split: CaptionSplit(self.validationSplit, unlessNamed: "val"))
    }
    let split = CaptionSplit(self.validationSplit.isEmpty ? "val" : self.validationSplit, unlessNamed: "val")
    return try CaptionDataset(paths: self.captions, images: folders, split: split)
  }
}
