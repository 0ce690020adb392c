public import Datasets
internal import Imaging
internal import Kernels

/// What reading all that a run learns from beside captions shows.
public struct SourcesCheck: Sendable, Encodable {
  /// Sentences without photos, and their words.
  public let textSentences, textWords: Int
  /// Photos with labels, different labels, and photos that are left out.
  public let labelledPhotos, labels, labelledLeftOut: Int
  /// Photos that a teacher has seen, and classes that it tells apart.
  public let scoredPhotos, scoredClasses: Int
  /// Photos that are not there, and such that can't be decoded.
  public let missingImages, corruptImages: [DataCheck.BadImage]

  /// Whether training could use everything.
  public var usable: Bool { missingImages.isEmpty && corruptImages.isEmpty }

  /// Decodes every photo, or looks its features up.
  init(_ sources: RunSources, features: FeatureFiles?, reader: ImageReader, progress: (Int, Int) -> Void) {
    textSentences = sources.text?.count ?? 0
    textWords = sources.text?.counts.values.reduce(0, +) ?? 0
    labelledPhotos = sources.labelled.count
    labels = sources.labelNames.count
    labelledLeftOut = sources.leftOut
    scoredPhotos = sources.scores?.names.count ?? 0
    scoredClasses = sources.scores?.classes ?? 0
    let photos = PhotoCheck(
      sources.lists.flatMap(\.images), reader: reader, features: features, progress: progress)
    missingImages = photos.missing
    corruptImages = photos.corrupt
  }

  private enum CodingKeys: String, CodingKey {
    case textSentences, textWords, labelledPhotos, labels, labelledLeftOut, scoredPhotos, scoredClasses
    case missingImages, corruptImages
  }
}
