internal import Models
public import Decoding
internal import Imaging
public import Kernels
internal import Language
internal import Synchronization
internal import Tensors

/// A model that captions photos and says how likely a caption is.
///
/// ```swift
/// let captioner = try Captioner(contentsOf: "models/captioner.safetensors")
/// let best = try captioner.caption(contentsOf: "photo.jpg")
/// print(best.text, best.logProb)
/// ```
///
/// It may be used from several tasks at once: they wait for each other, since one caption keeps all processors busy.
public final class Captioner: Sendable {
  private let engine: Mutex<CaptionModel>
  private let preprocessing: Preprocessing
  /// The model file.
  public let path: String
  let arithmetic: Arithmetic
  let reader: ImageReader

  /// Loads a model file, such as `captioner train` writes.
  /// - Parameters:
  ///   - path: the file.
  ///   - arithmetic: what the convolutions multiply: `.bfloat16` is faster on CPUs that have it, and less exact.
  ///   - exactDecoding: whether every pixel of large JPEGs is decoded; else no finer than twice the side that the network
  ///     reads, which is faster.
  /// - Throws: `ModelError` naming what is missing, of another shape, or not finite.
  public init(
    contentsOf path: String, arithmetic: Arithmetic = .float32, exactDecoding: Bool = false
  ) throws {
    var reader = ImageReader()
    reader.decoding = exactDecoding ? .exact : .scaled
    self.reader = reader
    self.path = path
    self.arithmetic = arithmetic
    let model = try CaptionModel(contentsOf: path, caching: .streamed, arithmetic: arithmetic)
    preprocessing = model.description.preprocessing
    engine = Mutex(model)
  }

  /// The words that the model can say.
  public var vocabulary: [String] {
    engine.withLock { Array($0.description.vocabulary.words.dropFirst(Vocabulary.specialWords.count)) }
  }

  /// The likeliest caption of a photo.
  /// - Parameter path: an image file.
  /// - Throws: `ImageError` for a file that can't be read.
  public func caption(contentsOf path: String) throws -> Caption {
    try captions(contentsOf: path)[0]
  }

  /// Captions of a photo, the best first.
  /// - Parameters:
  ///   - path: an image file.
  ///   - strategy: how they are found: `.beam(BeamOptions(beamWidth: 5, captions: 5))`,
  ///     `.sample(SamplingOptions(captions: 5, ClassSampling(topP: 0.9)))`.
  /// - Throws: `ImageError` for a file that can't be read.
  public func captions(
    contentsOf path: String, _ strategy: DecodingStrategy = .beam(BeamOptions())
  ) throws -> [Caption] {
    try captions(strategy) { try reader.fitted(contentsOf: path, to: $0).image }
  }

  /// As `captions(contentsOf:_:)`, of a photo in memory.
  /// - Parameters:
  ///   - bytes: an image file's, in any of the formats that `ImageReader` reads.
  ///   - name: what errors call it.
  public func captions(
    decoding bytes: [UInt8], named name: String = "photo", _ strategy: DecodingStrategy = .beam(BeamOptions())
  ) throws -> [Caption] {
    try captions(strategy) { try reader.fitted(decoding: bytes, name: name, to: $0).image }
  }

  private func captions(
    _ strategy: DecodingStrategy, of read: (Preprocessing) throws -> RGBImage
  ) throws -> [Caption] {
    // Read before it is one's turn.
    let image = try read(preprocessing)
    return try engine.withLock { engine in
      try engine.captions(engine.maps(image), strategy)[0].map { Caption($0) }
    }
  }

  /// How likely the model finds a given caption of a photo, word by word, with each word's rank.
  /// - Parameters:
  ///   - text: the caption; words that the model does not know count as `<unk>`.
  ///   - path: an image file.
  /// - Throws: `ImageError` for a file that can't be read; `CaptionerError.noWords`.
  public func score(_ text: String, ofImageAt path: String) throws -> Caption {
    let image = try reader.fitted(contentsOf: path, to: preprocessing).image
    return try engine.withLock { engine in
      let given = GivenCaption(text, engine.description.vocabulary)
      guard !given.words.isEmpty else { throw CaptionerError.noWords(text) }
      return Caption(engine.score(given.words, try engine.maps(image)))
    }
  }

  /// Captions files one after the other, in order: they are read ahead, encoded and searched together, and no faster than
  /// the results are taken. A file that can't be read costs that file only.
  ///
  /// ```swift
  /// for try await file in captioner.captions(ofFiles: paths) {
  ///   print(file.path, try file.captions.get()[0])
  /// }
  /// ```
  /// - Parameters:
  ///   - paths: image files.
  ///   - strategy: how captions are found.
  public func captions(
    ofFiles paths: [String], _ strategy: DecodingStrategy = .beam(BeamOptions())
  ) -> CaptionedFiles {
    CaptionedFiles(model: path, arithmetic: arithmetic, reader: reader, paths: paths, strategy: strategy)
  }
}

extension CaptionModel {
  /// What the model looks at in one image, as the network sees it: [1, mapSize].
  fileprivate func maps(_ image: RGBImage) throws -> Tensor {
    try maps(ImageLoader(description.preprocessing).input([image]))
  }
}

/// Questions that have no answer.
public enum CaptionerError: Error, Equatable, CustomStringConvertible {
  /// A caption to score has no word.
  case noWords(String)
  /// A data set none of whose images with captions can be read.
  case noImages(path: String)

  /// One line for people.
  public var description: String {
    switch self {
    case .noWords(let text): "expected a caption of at least one word, found \"\(text)\""
    case .noImages(let path): "\(path): expected images with captions, found none that can be read"
    }
  }
}
