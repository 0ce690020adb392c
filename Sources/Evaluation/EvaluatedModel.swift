public import Models
public import Decoding
public import Language
public import Tensors

/// What the evaluator asks of a model about images 0..<N: a loaded model, or one in training.
public protocol EvaluatedModel {
  /// The model's words.
  var vocabulary: Vocabulary { get }
  /// The captions of each of some images, the best first.
  /// - Parameter streams: what names each image's random numbers beside the seed, where captions are drawn.
  func captions(of images: [Int], _ strategy: DecodingStrategy, streams: [UInt64]) -> [[Caption]]
  /// Given captions, word by word, with the words' ranks.
  /// - Parameters:
  ///   - captions: word ids without start and end.
  ///   - rows: the place in `images` of the image that each caption is about.
  func scores(of captions: [[Int32]], rows: [Int], images: [Int]) -> [Caption]
}

/// A loaded model and the maps of the images it is asked about.
public struct LoadedModel: EvaluatedModel {
  /// The model.
  public let captioner: CaptionModel
  /// [N, mapSize].
  public let maps: Tensor

  /// A model and what it sees.
  public init(_ captioner: CaptionModel, maps: Tensor) {
    self.captioner = captioner
    self.maps = maps
  }

  /// The model's words.
  public var vocabulary: Vocabulary { captioner.description.vocabulary }

  /// The captions of each of some images, the best first.
  public func captions(
    of images: [Int], _ strategy: DecodingStrategy, streams: [UInt64]
  ) -> [[Caption]] {
    captioner.captions(maps.copied(rows: images), strategy, streams: streams)
  }

  /// Given captions, word by word.
  public func scores(of captions: [[Int32]], rows: [Int], images: [Int]) -> [Caption] {
    captioner.scores(of: captions, rows: rows, maps: maps.copied(rows: images))
  }
}
