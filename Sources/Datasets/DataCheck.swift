internal import Foundation
public import Imaging
public import Kernels
public import Language
internal import Support

/// What reading every image and caption of a training and a validation set shows: all that training could not use,
/// and what it could but people may not want.
public struct DataCheck: Sendable, Encodable {
  /// An image and what is wrong with it.
  public struct BadImage: Sendable, Equatable, Encodable {
    /// Its path.
    public let image: String
    /// Why it can't be read.
    public let reason: String
  }

  /// Two files of the same picture: the same path, or the same pixels.
  public struct Twins: Sendable, Equatable, Encodable {
    /// The later one.
    public let image: String
    /// The earlier one.
    public let first: String

    /// A picture and an earlier one.
    public init(image: String, first: String) { (self.image, self.first) = (image, first) }
  }

  /// What was found in one of the two sets.
  public struct Split: Sendable, Encodable {
    /// Images and captions.
    public internal(set) var images = 0, captions = 0
    /// Images that are not there.
    public internal(set) var missingImages: [BadImage] = []
    /// Images that can't be decoded.
    public internal(set) var corruptImages: [BadImage] = []
    /// Paths of images that nobody described.
    public internal(set) var imagesWithoutCaptions: [String] = []
    /// Where the file has empty captions.
    public internal(set) var emptyCaptions: [String] = []
    /// What the files have that can't be read: a line each, with its place.
    public internal(set) var brokenEntries: [String] = []
    /// Captions of nothing but punctuation, after the paths of their images.
    public internal(set) var captionsWithoutWords: [String] = []
    /// Images that come twice, of this set.
    public internal(set) var repeatedImages: [Twins] = []
    /// Captions that come twice for one image, after its path.
    public internal(set) var repeatedCaptions: [String] = []
    /// How the training vocabulary covers the captions.
    public internal(set) var words: Vocabulary.Statistics

    /// How many entries training could not use.
    public var unusable: Int {
      missingImages.count + corruptImages.count + imagesWithoutCaptions.count + emptyCaptions.count
        + brokenEntries.count + captionsWithoutWords.count
    }

    /// How much there is, for people: `8 images, 16 captions of 5.0 words, 12 different`.
    public var summary: String {
      "\(images) images, \(captions) captions of " + String(format: "%.1f", words.meanLength)
        + " words, \(words.distinctWords) different"
    }

    /// The share of words that become `<unk>`.
    public var unknownShare: Double { 1 - words.coverage }
  }

  /// The two sets.
  public let train, validation: Split
  /// Validation images that training sees too.
  public let sharedImages: [Twins]
  /// Words in the vocabulary of the training captions, the special ones included.
  public let vocabularySize: Int

  /// Whether training could use everything.
  public var usable: Bool { train.unusable + validation.unusable == 0 }

  /// Reads everything.
  /// - Parameters:
  ///   - minimumCount: words seen less often in `train` become `<unk>`.
  ///   - counts: how often words occur beside the training captions, for the vocabulary.
  ///   - reader: how images are read.
  ///   - features: what there is in the place of images; nil: they themselves.
  ///   - progress: called with the number of images decoded so far and of all.
  public init(
    train: CaptionDataset, validation: CaptionDataset, minimumCount: Int,
    besides counts: [String: Int] = [:], reader: ImageReader = ImageReader(), features: FeatureFiles? = nil,
    pool: ThreadPool = .shared, progress: (Int, Int) -> Void = { _, _ in }
  ) {
    let trainWords = train.tokenized(pool: pool)
    let vocabulary = Vocabulary(
      counts: trainWords.counts.merging(counts) { $0 + $1 }, minimumCount: minimumCount)
    vocabularySize = vocabulary.count
    var seen: Set<ExactName> = []
    let images = (train.images + validation.images).filter { seen.insert(ExactName($0.path)).inserted }
    let survey = ImageSurvey(images.map { NamedImage($0) }, reader: reader, features: features, pool: pool) {
      progress($0, images.count)
    }
    self.train = Split(train, trainWords, vocabulary, survey)
    self.validation = Split(validation, validation.tokenized(pool: pool), vocabulary, survey)
    var duplicates = DuplicateFinder()
    for image in train.images { _ = duplicates.twin(of: image.path, survey) }
    sharedImages = validation.images.compactMap { duplicates.twin(of: $0.path, survey, remember: false) }
  }

  private enum CodingKeys: String, CodingKey {
    case train, validation, sharedImages, vocabularySize
  }
}

extension DataCheck.Split {
  fileprivate init(
    _ dataset: CaptionDataset, _ tokens: TokenizedCaptions, _ vocabulary: Vocabulary, _ survey: ImageSurvey
  ) {
    words = tokens.statistics(of: vocabulary)
    images = dataset.images.count
    captions = dataset.captionCount
    emptyCaptions = dataset.emptyCaptions
    brokenEntries = dataset.brokenEntries
    var duplicates = DuplicateFinder()
    var next = 0
    for image in dataset.images {
      switch survey.findings[ExactName(image.path)] {
      case .missing(let reason): missingImages.append(.init(image: image.path, reason: reason))
      case .corrupt(let reason): corruptImages.append(.init(image: image.path, reason: reason))
      case .picture, nil: break
      }
      if let twin = duplicates.twin(of: image.path, survey) { repeatedImages.append(twin) }
      if image.captions.isEmpty { imagesWithoutCaptions.append(image.path) }
      var captions: Set<String> = []
      for caption in image.captions {
        if tokens[next].isEmpty { captionsWithoutWords.append("\(image.path): \(caption)") }
        if !captions.insert(caption).inserted { repeatedCaptions.append("\(image.path): \(caption)") }
        next += 1
      }
    }
  }
}
