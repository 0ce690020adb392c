import Foundation
import Kernels
import Testing

@testable import Training

private func decoded(_ json: String) throws -> TrainingConfiguration {
  try TrainingConfiguration(json: Data(json.utf8))
}

@Suite struct TrainingConfigurationTests {
  @Test func survivesJSON() throws {
    var configuration = TrainingConfiguration()
    (configuration.captions, configuration.images) = (["a.json", "z.json"], ["photos/ü"])
    (configuration.validationCaptions, configuration.validationImages) = (["b.json"], ["c"])
    (configuration.split, configuration.validationSplit) = ("train-only", "test")
    (configuration.maximumLength, configuration.longCaptions) = (16, .drop)
    configuration.validationShare = 0.2
    configuration.skip = ["skip.txt"]
    (configuration.lengthBuckets, configuration.lenient, configuration.maximumPixels) = (true, true, 99)
    (configuration.encoder, configuration.preprocessing) = ("vgg.safetensors", "caffe")
    (configuration.minimumCount, configuration.embeddingSize, configuration.hiddenSize) = (2, 3, 4)
    (configuration.featureSize, configuration.head, configuration.injection) = (5, .full, .firstStep)
    (configuration.epochs, configuration.batchSize, configuration.schedule) = (6, 7, .cosine)
    (configuration.pooledDropout, configuration.labelSmoothing) = (0.4, 0.1)
    (configuration.start, configuration.consensus) = ("a.safetensors", 3)
    (configuration.learningRate, configuration.learningRateDecay) = (0.1, 0.9)
    (configuration.decayPatience, configuration.stopPatience, configuration.clipNorm) = (8, 9, 0)
    (configuration.featureDropout, configuration.embeddingDropout) = (0.1, 0.2)
    (configuration.outputDropout, configuration.views, configuration.averageDecay) = (0.3, 1, 0)
    (configuration.precision, configuration.seed) = (.float32, .max)
    configuration.arithmetic = .bfloat16
    (configuration.selfCriticalSamples, configuration.teacherWeight) = (5, 0.25)
    (configuration.validationMetric, configuration.validationBeamWidth) = (.cider, 2)
    configuration.scheduledSampling.curve = .exponential
    (configuration.samplingK, configuration.samplingC, configuration.samplingFloor) = (0.5, 0.1, 0.2)
    (configuration.samplingCoin, configuration.samplingChoice) = (.sequence, .argmax)
    (configuration.fineTuneFrom, configuration.fineTuneAfter) = ("conv5_1", 100)
    (configuration.encoderLearningRate, configuration.microBatch) = (1e-6, 8)
    configuration.batchUnit = .images
    (configuration.optimizer, configuration.encoderOptimizer) = (.sgd(momentum: 0.5), .adamw())
    (configuration.weightDecay, configuration.encoderWeightDecay) = (0.01, 0.02)
    (configuration.warmUp, configuration.decayEvery, configuration.layers) = (10, 20, 2)
    (configuration.forgetBias, configuration.layerDropout) = (2, 0.15)
    configuration.exactDecoding = true
    configuration.cell = CellName(GRU.self)
    configuration.residual = true
    (configuration.conditioning, configuration.imageLayer, configuration.initialStates) = (
      .attention, 2, true
    )
    (configuration.regionGrid, configuration.regionSize, configuration.attentionSize) = (.fine, 3, 5)
    (configuration.attentionGate, configuration.regionDropout, configuration.attentionPenalty) = (
      true, 0.1, 0.2
    )
    (configuration.attentionGateEach, configuration.attentionComparison) = (true, .relu)
    configuration.linearStates = true
    (configuration.multimodalSize, configuration.memorySize) = (7, 9)
    configuration.reconstructionWeight = 0.5
    (configuration.attentionSampling, configuration.attentionReward) = (0.4, 0.5)
    (configuration.attentionEntropy, configuration.rewardBaselineDecay) = (0.01, 0.95)
    (configuration.activation, configuration.featureNormalization) = (.maxout, .whiten)
    (configuration.whiteningComponents, configuration.whiteningEpsilon) = (7, 0.5)
    configuration.freezeStatistics = true
    (configuration.weights, configuration.rewardReferences) = ([1, 0.5], 2)
    (configuration.text, configuration.textSteps, configuration.textShare) = (["t"], 3, 0.5)
    (configuration.labels, configuration.labelImages, configuration.labelNames) = (["l"], ["f"], "n")
    (configuration.labelWeight, configuration.labelBatch) = (0.5, 8)
    (configuration.labelCaptions, configuration.labelCaptionsUntil) = (0.25, 9)
    (configuration.teacherScores, configuration.teacherImages, configuration.teacherTemperature) = (
      "s", "f", 3
    )
    (configuration.teacherSteps, configuration.teacherScoresWeight, configuration.teacherBatch) = (4, 0.5, 8)
    (configuration.augmentation, configuration.smallestCrop, configuration.cropRatio) = (.crops, 0.25, 1.5)
    (configuration.mirrorChance, configuration.brightnessJitter) = (0, 0.1)
    (configuration.contrastJitter, configuration.saturationJitter) = (0.2, 0.3)
    configuration.meteor = "m"
    (configuration.features, configuration.featuresName) = (["f"], "CLIP")
    let data = try JSONEncoder().encode(configuration)
    #expect(try TrainingConfiguration(json: data) == configuration)
    // Every option that is kept differs from its default: none is forgotten on the way.
    let kept = TrainingSettings.all.filter { !$0.keys.isEmpty }
    #expect(kept.count > 60)
    for setting in kept {
      #expect(setting.text(in: configuration) != setting.standardText, "\(setting.name)")
    }
  }

  @Test func missingOptionsAreTheDefaults() throws {
    #expect(try decoded("{}") == TrainingConfiguration())
    #expect(TrainingConfiguration().problem == nil)
    var expected = TrainingConfiguration()
    expected.epochs = 3
    #expect(try decoded(#"{"epochs": 3}"#) == expected)
  }

  @Test(arguments: [
    #"{"epoch": 3}"#, #"{"epochs": "3"}"#, #"{"epochs": 1.5}"#, #"{"epochs": 1e30}"#, #"{"head": "huge"}"#,
    #"{"seed": -1}"#, #"{"schedule": "stairs"}"#, #"{"precision": "F8"}"#, #"{"injection": 1}"#, "[]", "3",
    "",
  ]) func whatMakesNoSenseIsRefused(json: String) {
    #expect(throws: (any Error).self) { try decoded(json) }
  }

  /// As earlier versions wrote it.
  @Test func aSingleFileIsAList() throws {
    let found = try decoded(#"{"captions": "a.json", "images": "b", "validationCaptions": ""}"#)
    #expect(found.captions == ["a.json"] && found.images == ["b"] && found.validationCaptions == [])
    #expect(throws: DecodingError.self) { try decoded(#"{"captions": 3}"#) }
    #expect(throws: DecodingError.self) { try decoded(#"{"captions": ["a", 3]}"#) }
  }

  @Test(arguments: [
    (#"{"optimizer": {"rule": "adam", "momentum": 0.9}}"#, "unknown option momentum"),
    (#"{"encoderOptimizer": {"rule": "sgd", "momentum": 2}}"#, "momentum: expected at least 0"),
    (#"{"optimizer": {"rule": "adam", "beta1": "x"}}"#, "beta1"),
    (#"{"scheduledSampling": {"curve": "stairs"}}"#, "curve"), (#"{"scheduledSampling": 3}"#, "Dictionary"),
  ]) func whatIsWrongInsideIsNamed(json: String, name: String) {
    #expect { try decoded(json) } throws: { "\($0)".contains(name) }
  }

  @Test func innerOptionsToo() throws {
    var expected = TrainingConfiguration()
    expected.scheduledSampling.k = 0.5
    #expect(try decoded(#"{"scheduledSampling": {"k": 0.5}}"#) == expected)
    #expect {
      try decoded(#"{"scheduledSampling": {"q": 1}}"#)
    } throws: { "\($0)".contains("unknown option scheduled_sampling.q; the nearest is scheduled_sampling.k") }
  }

  @Test func unknownOptionsAreNamed() {
    #expect {
      try decoded(#"{"learning_rat": 1}"#)
    } throws: { "\($0)".contains("unknown option learning_rat; the nearest is learning_rate") }
    #expect {
      try decoded(#"{"\(String(repeating: "x", count: 100_000))": 1}"#)
    } throws: { !"\($0)".contains("nearest") }
  }

  /// Keys in camelCase, as earlier versions wrote them; but not the same option twice.
  @Test func earlierKeysAreRead() throws {
    let found = try decoded(
      #"{"learningRate": 0.5, "minimumCount": 2, "maximumLength": 9, "selfCriticalSamples": 4, "#
        + #""scheduledSampling": {"curve": "linear", "k": 3}, "encoderOptimizer": {"rule": "sgd"}}"#)
    #expect(found.learningRate == 0.5 && found.minimumCount == 2 && found.maximumLength == 9)
    #expect(found.selfCriticalSamples == 4 && found.encoderOptimizer == .sgd())
    #expect(found.scheduledSampling.curve == .linear && found.scheduledSampling.k == 3)
    let keys = try #require(JSONSerialization.jsonObject(with: Data(found.json().utf8)) as? [String: Any])
      .keys
    #expect(keys.contains("learning_rate") && keys.allSatisfy { $0 == $0.lowercased() })
    #expect {
      try decoded(#"{"learningRate": 1, "learning_rate": 2}"#)
    } throws: { "\($0)".contains("given twice") }
  }

  /// Each option is declared once: no two share a name or a key.
  @Test func declarationsAreDistinct() {
    let all = TrainingSettings.all
    #expect(all.count > 60 && Set(all.map(\.name)).count == all.count)
    let keys = all.flatMap(\.keys)
    #expect(Set(keys).count == keys.count)
    #expect(
      Set(SettingSection.allCases.flatMap { TrainingSettings.all(in: $0).map(\.name) }).count == all.count)
    for setting in all { #expect(setting.summary.hasSuffix("."), "\(setting.name)") }
  }

  @Test func partsOfARuleChangeIt() throws {
    var configuration = TrainingConfiguration()
    configuration.optimizer = .sgd(momentum: 0.5)
    let momentum = try #require(TrainingSettings.all.first { $0.name == "momentum" })
    let nesterov = try #require(TrainingSettings.all.first { $0.name == "nesterov" })
    #expect(momentum.idleness(in: TrainingConfiguration())?.contains("--optimizer sgd") == true)
    #expect(momentum.idleness(in: configuration) == nil)
    try #require(momentum.assignment(["0.75"])).apply(to: &configuration)
    try #require(nesterov.assignment(["true"])).apply(to: &configuration)
    #expect(configuration.optimizer == .sgd(momentum: 0.75, nesterov: true))
    #expect(configuration.encoderOptimizer == .adam())
    #expect(momentum.assignment(["much"]) == nil)
  }

  private typealias Change = @Sendable (inout TrainingConfiguration) -> Void

  @Test func eachOptionOutOfRangeIsNamed() {
    let changes: [(String, Change)] = [
      ("min-count", { $0.minimumCount = 0 }), ("min-count", { $0.minimumCount = .max }),
      ("embedding-size", { $0.embeddingSize = 0 }), ("embedding-size", { $0.embeddingSize = 1 << 14 + 1 }),
      ("hidden-size", { $0.hiddenSize = -1 }), ("hidden-size", { $0.hiddenSize = .max }),
      ("feature-size", { $0.featureSize = 0 }), ("feature-size", { $0.featureSize = .max }),
      ("epochs", { $0.epochs = 0 }), ("epochs", { $0.epochs = .max }),
      ("batch-size", { $0.batchSize = 0 }), ("batch-size", { $0.batchSize = .max }),
      ("decay-patience", { $0.decayPatience = 0 }), ("stop-patience", { $0.stopPatience = .min }),
      ("feature-dropout", { $0.featureDropout = 1 }),
      ("feature-dropout", { $0.featureDropout = 1 - 1e-12 }),
      ("feature-dropout", { $0.featureDropout = -0.1 }),
      ("max-length", { $0.maximumLength = -1 }), ("max-length", { $0.maximumLength = .max }),
      ("length-buckets", { ($0.lengthBuckets, $0.batchUnit) = (true, .images) }),
      ("embedding-dropout", { $0.embeddingDropout = .nan }), ("output-dropout", { $0.outputDropout = 2 }),
      ("pooled-dropout", { $0.pooledDropout = 1 }), ("average-decay", { $0.averageDecay = 1 }),
      ("learning-rate", { $0.learningRate = 0 }),
      ("learning-rate", { $0.learningRate = .infinity }), ("learning-rate", { $0.learningRate = .nan }),
      ("learning-rate-decay", { $0.learningRateDecay = 0 }),
      ("learning-rate-decay", { $0.learningRateDecay = 1.1 }), ("clip-norm", { $0.clipNorm = -1 }),
      ("clip-norm", { $0.clipNorm = .infinity }), ("head", { $0.head = .none }),
      ("head", { ($0.features, $0.encoder, $0.head) = (["f"], "", .mean) }),
      ("validation-metric", { $0.validationMetric = .meteor }),
      ("linear-states", { ($0.linearStates, $0.initialStates) = (true, false) }),
      ("attention-gate-each", { ($0.conditioning, $0.attentionGateEach) = (.attention, true) }),
      ("preprocessing", { $0.preprocessing = "keras" }),
      ("self-critical", { $0.selfCriticalSamples = 1 }),
      ("self-critical", { $0.selfCriticalSamples = .max }),
      ("teacher-weight", { $0.teacherWeight = -0.1 }), ("teacher-weight", { $0.teacherWeight = .nan }),
      ("validation-beam-width", { $0.validationBeamWidth = 0 }),
      ("fine-tune-after", { $0.fineTuneAfter = -1 }), ("micro-batch", { $0.microBatch = -1 }),
      ("layers", { $0.layers = 5 }), ("decay-every", { $0.decayEvery = 0 }), ("warm-up", { $0.warmUp = -1 }),
      ("weight-decay", { $0.weightDecay = -1 }), ("encoder-weight-decay", { $0.encoderWeightDecay = .nan }),
      ("forget-bias", { $0.forgetBias = .infinity }), ("layer-dropout", { $0.layerDropout = 1 }),
      ("optimizer: momentum", { $0.optimizer = .sgd(momentum: 2) }),
      ("encoder-optimizer: beta1", { $0.encoderOptimizer = .adam(beta1: 1) }),
      ("encoder-learning-rate", { $0.encoderLearningRate = .nan }),
      (
        "sampling-k",
        { ($0.scheduledSampling.curve, $0.scheduledSampling.k) = (.exponential, 1.5) }
      ),
      (
        "sampling-k",
        { ($0.scheduledSampling.curve, $0.scheduledSampling.k) = (.inverseSigmoid, 0.5) }
      ),
      ("sampling-c", { ($0.scheduledSampling.curve, $0.scheduledSampling.c) = (.linear, -1) }),
      ("sampling-k", { ($0.scheduledSampling.curve, $0.scheduledSampling.k) = (.linear, .nan) }),
      (
        "sampling-floor",
        { ($0.scheduledSampling.curve, $0.scheduledSampling.floor) = (.linear, 1.5) }
      ),
    ]
    for (name, change) in changes {
      var configuration = TrainingConfiguration()
      change(&configuration)
      #expect(configuration.problem?.hasPrefix("--\(name): expected ") == true, "\(name)")
    }
  }

  /// A gate that reads the embedding itself needs it as large as the layer, whatever the defaults are.
  @Test func sizesGoWithTheCell() {
    for cell in CellName.allCases {
      var configuration = TrainingConfiguration()
      configuration.cell = cell
      #expect(configuration.problem == nil)
      configuration.embeddingSize = 256
      let problem = configuration.problem
      #expect((problem != nil) == (cell.cell.directInput != nil))
      #expect(
        problem.map { $0.hasPrefix("--embedding-size: expected 512") && $0.hasSuffix("found 256") } != false)
    }
  }

  /// How steps are taken may change, and where files are; what the run is may not, and batches between epochs only.
  @Test func someOptionsMayChange() {
    let begun = TrainingConfiguration()
    var now = begun
    (now.epochs, now.learningRate, now.schedule, now.stopPatience) = (99, 0.1, .cosine, 9)
    (now.encoder, now.captions, now.validationImages) = ("other", ["a/b.json"], ["c"])
    #expect(now.differences(from: begun) == [])
    now.batchSize = 7
    #expect(now.differences(from: begun) == [])
    #expect(
      now.differences(from: begun, isBetweenEpochs: false)
        == ["batch_size: 100 then, 7 now (it may change between epochs only)"])
    (now.seed, now.cell) = (2, CellName(GRU.self))
    #expect(now.differences(from: begun) == ["cell: lstm then, gru now", "seed: 1 then, 2 now"])
    #expect(now.changes(from: begun) { $0 == .byContent }.count == 3)
    // Each option has its rule: most decide what a run is.
    let counts = Dictionary(grouping: TrainingSettings.all.filter { !$0.keys.isEmpty }, by: \.continuation)
    #expect(counts.mapValues(\.count)[.betweenEpochs] == 4 && counts[.byContent]?.count == 19)
  }
}
