public import Datasets
public import Language

/// An image with the captions that people wrote.
public struct EvaluatedImage: Sendable {
  /// Its id, which names its random numbers too.
  public let id: Int
  /// Its file as the caption file names it, and where that is.
  public let fileName, path: String
  /// The captions as they were written.
  public let references: [String]
  /// The same as tokens, for the metrics.
  public let tokens: [[String]]
  /// The captions whose log-probability is asked for, as word ids without start and end.
  public let encoded: [[Int32]]
  /// Which of several caption files it is from; 0 of one.
  public private(set) var source = 0

  /// An image.
  public init(
    id: Int, fileName: String, path: String, references: [String], tokens: [[String]], encoded: [[Int32]]
  ) {
    self.id = id
    self.fileName = fileName
    self.path = path
    self.references = references
    self.tokens = tokens
    self.encoded = encoded
  }

  /// An image of a data set, its captions read as pycocoevalcap's tokenizer reads them in Unicode's NFC, which models
  /// speak.
  public init(_ image: CaptionedImage, _ vocabulary: Vocabulary) {
    self.init(
      id: image.id, fileName: image.fileName, path: image.path, references: image.captions,
      tokens: image.captions.map { Tokenizer().wholeTokens(Tokenizer.composed($0)) },
      encoded: image.captions.map { vocabulary.encode(vocabulary.tokenizer.tokens($0)) })
    source = image.source
  }
}
