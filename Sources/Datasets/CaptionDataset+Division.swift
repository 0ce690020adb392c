internal import Support

extension CaptionDataset {
  /// Divides the images in two at random, all captions of a file on one side.
  /// - Parameters:
  ///   - share: the share of files that validate, at least one and not all; more than 0 and less than 1.
  ///   - seed: decides which.
  /// - Returns: both parts in the order of the file; what is odd about it stays with those to train on. Of fewer than
  ///   two files nothing is left to validate on.
  public func divided(
    validationShare share: Double, seed: UInt64
  ) -> (train: CaptionDataset, validation: CaptionDataset) {
    var seen: Set<ExactName> = []
    var files = images.map { ExactName($0.path) }.filter { seen.insert($0).inserted }
    var random = Random(seed: seed, stream: 0x6469_7669_6465)
    files.shuffle(using: &random)
    let count = min(max(1, Int(saturating: (Double(files.count) * share).rounded())), max(0, files.count - 1))
    let chosen = Set(files.prefix(count))
    var train = self
    train.images.removeAll { chosen.contains(ExactName($0.path)) }
    let validation = images.filter { chosen.contains(ExactName($0.path)) }
    return (train, CaptionDataset(images: validation, emptyCaptions: [], warnings: []))
  }
}
