internal import CaptionMetrics
internal import Support

/// The end of an epoch.
extension Trainer {
  /// Validates, decides what follows, keeps the model if it is the best so far, and the state.
  mutating func finishEpoch() throws {
    try average.visit { [group] (average) throws(ProcessGroupError) in try group.share(&average) }
    let averaged = average.applied(to: network)
    // Rank 0 judges, and all decide alike.
    let judged =
      group.isFirst
      ? validation.scores(of: averaged, beamWidth: configuration.validationBeamWidth, on: .cpu) : nil
    if let problem = judged?.problem { report(.message("no METEOR: \(problem)")) }
    let told = try group.broadcast(
      judged.map { [$0.scores.perplexity, configuration.validationMetric.badness($0.scores)] } ?? [])
    // A loss of many hundreds is as lost as one that is no number.
    guard told[0].isFinite else {
      throw TrainingError.diverged(step: state.step, what: "the validation perplexity")
    }
    let rate = learningRate
    let verdict = state.schedule.observe(told[1], epoch: state.epoch)
    if verdict == .improved { state.perplexity = told[0] }
    if let judged {
      if verdict == .improved {
        try writeModel(averaged, judged.scores, epoch: state.epoch, step: state.step)
      }
      try record(judged.scores, judged.samples, rate, verdict)
    }
    state.finished = verdict == .finished
    state.beginEpoch()
    try writeCheckpoint()
    if state.finished {
      report(.message("validation has not improved for \(configuration.stopPatience) epochs: done"))
    }
  }

  /// Logs and reports an epoch.
  private func record(
    _ scores: Scores, _ samples: [Validation.Spoken], _ rate: Double, _ verdict: LearningRateSchedule.Verdict
  ) throws {
    let record = TrainingRecord.Epoch(
      epoch: state.epoch, step: state.step, training_loss: state.lossSum / Double(state.words),
      validation: scores, learning_rate: rate,
      epsilon: configuration.scheduledSampling.epsilon(step: state.step),
      reward: state.rewards > 0 ? state.reward / Double(state.rewards) : nil, best: verdict == .improved,
      seconds: state.seconds + elapsed, samples: samples)
    try log?.append(record)
    report(.epoch(record))
  }
}
