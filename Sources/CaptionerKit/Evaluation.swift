internal import Models
internal import Datasets
public import Decoding
internal import Evaluation
public import Kernels
public import CaptionMetrics
public import Training

/// A training run in a folder: see `TrainingConfiguration` for its options.
public typealias TrainingRun = Training.TrainingRun
/// The options of a training run, with their defaults.
public typealias TrainingConfiguration = Training.TrainingConfiguration
/// Scores by name: BLEU, ROUGE-L, CIDEr, perplexity and the others that `captioner evaluate` prints.
public typealias Scores = CaptionMetrics.Scores
/// How captions are found.
public typealias DecodingStrategy = Decoding.DecodingStrategy
/// Options of beam search.
public typealias BeamOptions = Decoding.BeamOptions
/// Options of captions that are drawn at random.
public typealias SamplingOptions = Decoding.SamplingOptions

/// From which words each is drawn: temperature, top-k, top-p.
public typealias ClassSampling = Kernels.ClassSampling

extension Captioner {
  /// Captions the images of a data set and scores captions and model against the references, as `captioner evaluate` does.
  /// - Parameters:
  ///   - captions: a caption file in any format that `captioner` reads.
  ///   - images: the folder of its images.
  ///   - strategy: how captions are found.
  ///   - failed: told of each image that can't be read; it is left out.
  /// - Throws: `DatasetError`, `ModelError`; `CaptionerError.noImages`.
  public func evaluate(
    captions: String, images: String, _ strategy: DecodingStrategy = .beam(BeamOptions()),
    failed: (String) -> Void = { _ in }
  ) throws -> Scores {
    let dataset = try CaptionDataset(path: captions, images: images)
    let model = try CaptionModel(contentsOf: path, caching: .resident)
    model.encoder.reader = reader
    let seen = try MappedImages(model, dataset.images.filter { !$0.captions.isEmpty }, failed: failed)
    guard !seen.images.isEmpty else { throw CaptionerError.noImages(path: captions) }
    let evaluator = Evaluator(
      LoadedModel(model, maps: seen.maps),
      seen.images.map { EvaluatedImage($0, model.description.vocabulary) })
    return evaluator.evaluate(strategy).scores
  }
}
