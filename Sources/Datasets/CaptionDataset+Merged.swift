internal import Foundation
internal import Support

extension CaptionDataset {
  /// Reads several caption files as one dataset.
  /// - Parameters:
  ///   - paths: the caption files, each as `init(path:images:split:)` takes it.
  ///   - folders: a folder of images for each, or one for all.
  ///   - split: which images to take of each.
  /// - Throws: `DatasetError`, as `init(path:images:split:)`; `.folders` when there are neither one nor as many
  ///   folders as files.
  public init(
    paths: [String], images folders: [String], split: CaptionSplit = .all
  ) throws(DatasetError) {
    guard folders.count == 1 || folders.count == paths.count else {
      throw .folders(captions: paths.count, folders: folders.count)
    }
    var datasets: [CaptionDataset] = []
    for (index, path) in paths.enumerated() {
      datasets.append(
        try CaptionDataset(path: path, images: folders[folders.count == 1 ? 0 : index], split: split))
    }
    self = .merged(datasets)
  }

  /// The images of all datasets, one dataset after the other.
  ///
  /// An id that an earlier image has is replaced by a free one; images whose file came before stay. Both are noted
  /// in `warnings`.
  public static func merged(_ datasets: [CaptionDataset]) -> CaptionDataset {
    guard datasets.count != 1 else { return datasets[0] }
    var merged = CaptionDataset(
      images: [], emptyCaptions: datasets.flatMap(\.emptyCaptions),
      brokenEntries: datasets.flatMap(\.brokenEntries),
      respelledNames: datasets.flatMap(\.respelledNames), warnings: datasets.flatMap(\.warnings))
    let taken = Set(datasets.lazy.flatMap(\.images).map(\.id))
    var used: Set<Int> = []
    var free = 0
    var renumbered = 0
    for (source, var image) in datasets.enumerated().lazy.flatMap({ pair in pair.1.images.map { (pair.0, $0) }
    }) {
      image.source = source
      if !used.insert(image.id).inserted {
        while taken.contains(free) { free += 1 }
        image.id = free
        free += 1
        renumbered += 1
      }
      merged.images.append(image)
    }
    if renumbered > 0 {
      merged.warnings.append("\(renumbered) images have an id that an earlier file's image has: renumbered")
    }
    let repeated = merged.repeatedFiles()
    if let first = repeated.first {
      merged.warnings.append("\(repeated.count) images come more than once, the first \(first)")
    }
    return merged
  }

  /// The paths of images whose file an earlier image has too, in order.
  public func repeatedFiles() -> [String] {
    var folders: [String: String] = [:]
    var seen: Set<ExactName> = []
    var repeated: [String] = []
    for image in images {
      // The same folder may have several names.
      let folder = folders[image.folder] ?? URL(fileURLWithPath: image.folder).resolvingSymlinksInPath().path
      folders[image.folder] = folder
      let name = image.fileName.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
      if !seen.insert(ExactName(folder + "/" + name)).inserted { repeated.append(image.path) }
    }
    return repeated
  }
}
