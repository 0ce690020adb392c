/// What options depend on.
extension SettingRequirement {
  static let withoutValidationData = Self("without --validation-captions and --validation-split") {
    $0.validationCaptions.isEmpty && $0.validationSplit.isEmpty
  }
  static let withViews = Self("without --augmentation and --features") {
    $0.augmentation == .none && $0.features.isEmpty
  }
  static let withFeatures = Self("with --features") { !$0.features.isEmpty }
  static let withoutFeatures = Self("without --features, which are in the place of photos") {
    $0.features.isEmpty
  }
  static let withAugmentation = Self("with --augmentation") { $0.augmentation != .none }
  static let withColourJitter = Self("with --augmentation crops-and-colour") {
    $0.augmentation == .cropsAndColour
  }
  static let withLengthLimit = Self("with --max-length") { $0.maximumLength > 0 }
  static let withRememberingGate = Self("without --start, for a cell with a forget gate") {
    ($0.start.isEmpty || $0.start == TrainingConfiguration.noStart) && $0.cell.cell.rememberingGate != nil
  }
  static let withAttention = Self("with --conditioning attention, hard-attention or top-down") {
    $0.conditioning.attends
  }
  static let withAttentionGate = Self("with --conditioning attention or hard-attention") {
    $0.conditioning.looksBeforeSteps
  }
  static let withHardAttention = Self("with --conditioning hard-attention") {
    $0.conditioning == .hardAttention
  }
  static let withInjection = Self("with --conditioning gates, attention, hard-attention or top-down") {
    $0.conditioning.injects
  }
  static let withStack = Self("without --conditioning top-down or visual-memory") { $0.conditioning.stacks }
  static let withImageInLayers = Self("with --conditioning gates, first-input, attention or hard-attention") {
    $0.conditioning.entersLayers
  }
  static let withVisualMemory = Self("with --conditioning visual-memory") { $0.conditioning == .visualMemory }
  static let withMultimodalLayer = Self("with --conditioning multimodal") { $0.conditioning == .multimodal }
  static let withWhitening = Self("with --feature-normalization whiten") {
    $0.featureNormalization == .whiten
  }
  static let withFineTuning = Self("with --fine-tune-from") { !$0.fineTuneFrom.isEmpty }
  static let withGradientDescent = Self("with --optimizer sgd or --encoder-optimizer sgd") {
    $0.optimizer.name == "sgd" || (!$0.fineTuneFrom.isEmpty && $0.encoderOptimizer.name == "sgd")
  }
  static let withFallingRate = Self("with --schedule step, exponential or plateau") {
    [.step, .exponential, .plateau].contains($0.schedule)
  }
  static let withPeriodicFalls = Self("with --schedule step or exponential") {
    [.step, .exponential].contains($0.schedule)
  }
  static let withPlateaus = Self("with --schedule plateau") { $0.schedule == .plateau }
  static let withSeveralLayers = Self("with --layers 2 or more") { $0.layers > 1 }
  static let withScheduledSampling = Self("with --scheduled-sampling") { $0.samplingCurve != .none }
  static let withLinearSampling = Self("with --scheduled-sampling linear") { $0.samplingCurve == .linear }
  static let withText = Self("with --text") { !$0.text.isEmpty }
  static let withLabels = Self("with --labels") { !$0.labels.isEmpty }
  static let withLabelWeight = Self("with --label-weight") { $0.labelWeight > 0 }
  static let withLabelCaptions = Self("with --label-captions") { $0.labelCaptions > 0 }
  static let withTeacher = Self("with --teacher-scores") { !$0.teacherScores.isEmpty }
  static let withSelfCritical = Self("with --self-critical") { $0.selfCriticalSamples > 0 }
}
