internal import Kernels

extension TrainingConfiguration {
  /// The first option that is out of range, as `name: expected …, found …`; nil when all are right.
  public var problem: String? {
    func positive(_ name: String, _ value: Int, below limit: Int = 1 << 20) -> String? {
      (1...limit).contains(value) ? nil : "\(name): expected 1 to \(limit), found \(value)"
    }
    func share(_ name: String, _ value: Double) -> String? {
      value >= 0 && Float(value) < 1 ? nil : "\(name): expected at least 0 and less than 1, found \(value)"
    }
    let checks: [String?] = [
      positive("minimum count", minimumCount), positive("embedding size", embeddingSize, below: 1 << 14),
      positive("hidden size", hiddenSize, below: 1 << 14),
      positive("feature size", featureSize, below: 1 << 16),
      positive("epochs", epochs), positive("batch size", batchSize, below: 1 << 14),
      (0...1 << 40).contains(fineTuneAfter)
        ? nil : "fine-tune after: expected 0 or more, found \(fineTuneAfter)",
      (0...1 << 14).contains(microBatch) ? nil : "micro-batch: expected 0 or more, found \(microBatch)",
      encoderLearningRate >= 0 && encoderLearningRate < 1
        ? nil : "encoder learning rate: expected 0 to 1, found \(encoderLearningRate)",
      positive("layers", layers, below: 3), positive("decay every", decayEvery, below: 1 << 40),
      (0...1 << 40).contains(warmUp) ? nil : "warm-up: expected 0 or more, found \(warmUp)",
      weightDecay >= 0 && weightDecay < 1 ? nil : "weight decay: expected 0 to 1, found \(weightDecay)",
      encoderWeightDecay >= 0 && encoderWeightDecay < 1
        ? nil : "encoder weight decay: expected 0 to 1, found \(encoderWeightDecay)",
      abs(forgetBias) <= 100 ? nil : "forget bias: expected -100 to 100, found \(forgetBias)",
      optimizer.problem.map { "optimizer: \($0)" },
      encoderOptimizer.problem.map { "encoder optimizer: \($0)" },
      share("layer dropout", layerDropout),
      positive("views", views, below: 64), positive("decay patience", decayPatience),
      positive("stop patience", stopPatience),
      share("label smoothing", labelSmoothing), share("pooled dropout", pooledDropout),
      share("feature dropout", featureDropout),
      share("embedding dropout", embeddingDropout),
      share("output dropout", outputDropout), share("average decay", averageDecay),
      (0...1 << 20).contains(maximumLength)
        ? nil : "max length: expected 0 or more, found \(maximumLength)",
      lengthBuckets && batchUnit == .images
        ? "length buckets: expected batches of captions, found batches of images" : nil,
      (0...1 << 20).contains(consensus) ? nil : "consensus: expected 0 or more, found \(consensus)",
      learningRate > 0 && learningRate < 10 ? nil : "learning rate: expected 0 to 10, found \(learningRate)",
      learningRateDecay > 0 && learningRateDecay <= 1
        ? nil : "learning-rate decay: expected 0 to 1, found \(learningRateDecay)",
      clipNorm >= 0 && clipNorm.isFinite ? nil : "clip norm: expected 0 or more, found \(clipNorm)",
      (0...1000).contains(selfCriticalSamples) && selfCriticalSamples != 1
        ? nil : "self-critical captions: expected 0 or 2 to 1000, found \(selfCriticalSamples)",
      (0...1).contains(teacherWeight) ? nil : "teacher weight: expected 0 to 1, found \(teacherWeight)",
      positive("validation beam width", validationBeamWidth, below: 100),
      scheduledSampling.problem,
      arithmetic.problem.map { "arithmetic: \($0)" },
      head == .none ? "head: expected full, compact or compact2, found none" : nil,
      ["auto", "torchvision", "caffe"].contains(preprocessing)
        ? nil : "preprocessing: expected auto, torchvision or caffe, found \(preprocessing)",
    ]
    return checks.lazy.compactMap(\.self).first
  }
}
