import CaptionerKit

/// What is wrong with a data set, a line each.
func troubles(captions: String, photos: String) -> [String] {
  var configuration = TrainingConfiguration()
  configuration.captions = [captions]
  configuration.images = [photos]
  return Diagnosis(dataOf: configuration).findings.map { "\($0.place): \($0.problem)" }
}

/// Trains a small captioner on photos with captions, and scores it.
func train(captions: String, images: String, encoder: String, folder: String) throws -> Scores {
  var configuration = TrainingConfiguration()
  configuration.captions = [captions]
  configuration.images = [images]
  configuration.validationCaptions = [captions]
  configuration.encoder = encoder
  configuration.minimumCount = 1
  configuration.hiddenSize = 32
  configuration.embeddingSize = 16
  configuration.epochs = 2
  let run = try TrainingRun(configuration, folder: folder)
  let perplexity = try run.run(report: { event in
    if case .epoch(let record) = event { print(record.line) }
  })
  print("validation perplexity \(perplexity)")
  let captioner = try Captioner(contentsOf: folder + "/model.safetensors")
  return try captioner.evaluate(captions: captions, images: images)
}
