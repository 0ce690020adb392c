import ArgumentParser
import Datasets

/// The caption files a command reads, as one dataset.
struct CaptionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Captions: COCO's or Karpathy's JSON, lists or lines of JSON, CSV, Flickr tokens, or a folder of NAME.txt; may be repeated.",
      valueName: "file"))
  var captions: [String]
  @Option(
    help: ArgumentHelp(
      "Split of a file that has some: train (restval included), train-only, val, test or all.",
      valueName: "name"))
  var split: String?

  /// The files, for messages.
  var names: String { captions.joined(separator: ", ") }

  /// Reads the files and tells what is odd about them.
  /// - Parameter usual: the split that is taken of files with splits when none is named.
  func read(images folders: [String], unlessNamed usual: String) throws -> CaptionDataset {
    let dataset = try CaptionDataset(
      paths: captions, images: folders, split: CaptionSplit(split ?? "", unlessNamed: usual))
    for warning in dataset.warnings { Console.complain(warning) }
    return dataset
  }
}

/// The caption files a command reads, and their images.
struct DatasetOptions: ParsableArguments {
  @OptionGroup var captions: CaptionOptions
  @Option(
    help: ArgumentHelp("Folder of the images: one for each --captions, or one for all.", valueName: "folder"))
  var images: [String] = []

  @Option(
    help: ArgumentHelp(
      "List of images to leave out, a name a line, as doctor --skip-list writes; may be repeated.",
      valueName: "file"))
  var skip: [String] = []

  /// The caption files, for messages.
  var names: String { captions.names }

  func validate() throws {
    guard images.count <= 1 || images.count == captions.captions.count else {
      throw ValidationError(
        "\(DatasetError.folders(captions: captions.captions.count, folders: images.count))")
    }
  }

  /// Makes sure that there are folders of images.
  func checkImages() throws {
    if images.isEmpty { throw ValidationError("Missing expected argument '--images <folder> ...'") }
  }

  /// Reads the files and tells what is odd about them, as `CaptionOptions`; of features no folder of images is needed.
  func read(unlessNamed usual: String) throws -> CaptionDataset {
    let list = try SkipList(paths: skip)
    let dataset = try captions.read(images: images.isEmpty ? [""] : images, unlessNamed: usual).skipping(list)
    if !dataset.skipped.isEmpty { Console.note("\(dataset.skipped.count) images left out, as --skip says") }
    if let warning = list.warning(used: dataset.skipped) { Console.complain(warning) }
    return dataset
  }
}
