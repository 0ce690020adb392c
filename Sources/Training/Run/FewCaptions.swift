extension TrainingConfiguration {
  /// Captions from which on the defaults are made for as many as there are.
  private static let many = 10_000

  /// The options that suit so few captions, unless batch size, epochs or learning rate were chosen: with the usual ones
  /// there would be so few steps that a model learns little but to end.
  /// - Returns: the options, and what was changed, in words; nil: nothing.
  func suited(to captions: Int) -> (configuration: TrainingConfiguration, note: String?) {
    let settings = TrainingSettings.declared
    let chosen = isSet(settings.batchSize) || isSet(settings.epochs) || isSet(settings.learningRate)
    guard captions > 0, captions < Self.many, !chosen else { return (self, nil) }
    var result = self
    result.batchSize = min(settings.batchSize.standard, max(8, captions / 100))
    result.epochs = 60
    if !isSet(settings.stopPatience) { result.stopPatience = 10 }
    if !isSet(settings.decayPatience) { result.decayPatience = 3 }
    if !isSet(settings.warmUp) { result.warmUp = min(100, captions / result.batchSize) }
    return (
      result,
      "\(captions) captions are few: --batch-size \(result.batchSize) --epochs \(result.epochs) "
        + "--warm-up \(result.warmUp) --stop-patience \(result.stopPatience) "
        + "--decay-patience \(result.decayPatience), unless batch size, epochs or learning rate are given"
    )
  }
}
