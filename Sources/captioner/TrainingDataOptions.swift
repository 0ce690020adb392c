import ArgumentParser
import Datasets
import Training

/// What `train` learns from.
struct TrainingDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Captions to train on, in any format evaluate takes; may be repeated.", valueName: "file"))
  var captions: [String] = []
  @Option(
    help: ArgumentHelp(
      "Folder of their images: one for each --captions, or one for all.", valueName: "folder"))
  var images: [String] = []
  @Option(
    help: ArgumentHelp(
      "Split of files that have some: train (restval included), train-only, val, test or all (train).",
      valueName: "name"))
  var split: String?
  @Option(
    help: ArgumentHelp(
      "Captions to validate on; may be repeated; the val split of --captions unless given.",
      valueName: "file"))
  var validationCaptions: [String] = []
  @Option(
    help: ArgumentHelp("Folder of their images, as --images; --images unless given.", valueName: "folder"))
  var validationImages: [String] = []
  @Option(help: ArgumentHelp("Split to validate on of files that have some (val).", valueName: "name"))
  var validationSplit: String?
  @Option(help: "Most words of a caption to learn; 0: any number (0).") var maxLength: Int?
  @Option(help: "Longer ones: clip keeps their first words, drop leaves them out (clip).")
  var longCaptions: LengthLimit.Rule?
  @Flag(
    inversion: .prefixedNo,
    help: "Batches of captions of like length: quicker, as they end together, if less random (no).")
  var lengthBuckets: Bool?
  @Option(help: "Learn only the captions of each image that agree most, this many; 0: all (0).")
  var consensus: Int?

  /// Sets the options that were given.
  func apply(to configuration: inout TrainingConfiguration) {
    func set<T>(_ field: WritableKeyPath<TrainingConfiguration, T>, _ value: T?) {
      if let value { configuration[keyPath: field] = value }
    }
    func set(_ field: WritableKeyPath<TrainingConfiguration, [String]>, _ values: [String]) {
      if !values.isEmpty { configuration[keyPath: field] = values }
    }
    set(\.captions, captions)
    set(\.images, images)
    set(\.split, split)
    set(\.validationCaptions, validationCaptions)
    set(\.validationImages, validationImages)
    set(\.validationSplit, validationSplit)
    set(\.maximumLength, maxLength)
    set(\.longCaptions, longCaptions)
    set(\.lengthBuckets, lengthBuckets)
    set(\.consensus, consensus)
  }
}

extension TrainingConfiguration {
  /// The images and captions to train on.
  func trainingDataset() throws(DatasetError) -> CaptionDataset {
    try CaptionDataset(paths: captions, images: images, split: CaptionSplit(split, unlessNamed: "train"))
  }

  /// Those to validate on; without files of their own they are another split of the training files.
  func validationDataset() throws(DatasetError) -> CaptionDataset {
    let folders = validationImages.isEmpty ? images : validationImages
    guard validationCaptions.isEmpty else {
      return try CaptionDataset(
        paths: validationCaptions, images: folders, split: CaptionSplit(validationSplit, unlessNamed: "val"))
    }
    let split = CaptionSplit(validationSplit.isEmpty ? "val" : validationSplit, unlessNamed: "val")
    return try CaptionDataset(paths: captions, images: folders, split: split)
  }
}
