internal import Evaluation
internal import Imaging
internal import Kernels
internal import CaptionMetrics

/// Everything that decides a training run; saved with it as `config.json`.
///
/// It has a value of every option that `TrainingSettings` declares, under the same name: `configuration.batchSize`.
@dynamicMemberLookup
public struct TrainingConfiguration: Sendable, Equatable {
  /// The values that were set, by the option's name.
  private var values: [String: any SettingValue] = [:]

  /// The defaults.
  public init() {}

  /// The value of an option.
  public subscript<Value>(dynamicMember member: KeyPath<TrainingSettings, Setting<Value>>) -> Value {
    get { self[TrainingSettings.declared[keyPath: member]] }
    set { self[TrainingSettings.declared[keyPath: member]] = newValue }
  }

  /// The value of an option.
  public subscript<Value>(setting: Setting<Value>) -> Value {
    get { values[setting.name] as? Value ?? setting.standard }
    set { values[setting.name] = newValue }
  }

  /// Whether an option was set, even if to its default.
  func isSet(_ setting: Setting<some SettingValue>) -> Bool { values[setting.name] != nil }

  /// Whether all options have the same values.
  public static func == (one: Self, other: Self) -> Bool {
    TrainingSettings.list.allSatisfy { $0.isSame(in: one, other) }
  }

  /// What decides which epoch is the best, when the learning rate falls and when the run ends.
  public enum ValidationMetric: String, SettingValue, CaseIterable {
    /// Lower is better.
    case perplexity
    /// Higher is better.
    case bleu4 = "BLEU-4"
    case cider = "CIDEr"
    case meteor = "METEOR"

    /// The lower the better.
    func badness(_ scores: Scores) -> Double {
      switch self {
      case .perplexity: scores.loss
      case .bleu4: -scores.bleu4
      case .cider: -scores.cider
      case .meteor: -(scores[.meteor] ?? 0)
      }
    }
  }

  /// What a batch is made of.
  public enum BatchUnit: String, SettingValue, CaseIterable {
    /// Captions, shuffled one by one.
    case captions
    /// Images, each with all its captions: the encoder runs once for them.
    case images
  }

  /// How photos are changed anew at every step.
  public enum AugmentationKind: String, SettingValue, CaseIterable {
    /// Not at all.
    case none
    /// Parts of them, mirrored by chance.
    case crops
    /// The same, of another brightness, contrast and saturation.
    case cropsAndColour = "crops-and-colour"
  }

  /// How fine the grid of regions is that attention looks at.
  public enum RegionGrid: String, SettingValue, CaseIterable {
    /// The last map after its last pool: 7×7 regions of a VGG network's 224×224 pixels.
    case coarse
    /// Before it: 14×14.
    case fine
  }

  /// How the learning rate falls after the warm-up.
  public enum Schedule: String, SettingValue, CaseIterable {
    /// Not at all.
    case constant
    /// By `learningRateDecay` every `decayEvery` steps.
    case step
    /// As much, but smoothly.
    case exponential
    /// Along half a cosine to zero at the end of `epochs` (Loshchilov & Hutter 2017, without restarts).
    case cosine
    /// By `learningRateDecay` whenever validation has stalled for `decayPatience` epochs.
    case plateau
  }

  /// When the word before is the model's own instead of the true one: the `sampling` options together.
  public var scheduledSampling: ScheduledSampling {
    get {
      var result = ScheduledSampling()
      result.curve = self.samplingCurve
      result.k = self.samplingK
      result.c = self.samplingC
      result.floor = self.samplingFloor
      result.coin = self.samplingCoin
      result.choice = self.samplingChoice
      return result
    }
    set {
      self.samplingCurve = newValue.curve
      self.samplingK = newValue.k
      self.samplingC = newValue.c
      self.samplingFloor = newValue.floor
      self.samplingCoin = newValue.coin
      self.samplingChoice = newValue.choice
    }
  }

  /// How photos are changed anew at every step; nil: they are not.
  var randomAugmentation: RandomAugmentation? {
    guard self.augmentation != .none else { return nil }
    let crop = RandomResizedCrop(
      smallestArea: self.smallestCrop, largestRatio: self.cropRatio, mirrorChance: self.mirrorChance)
    let colours = ColourJitter(
      brightness: self.brightnessJitter, contrast: self.contrastJitter, saturation: self.saturationJitter)
    return RandomAugmentation(crop, colours: self.augmentation == .cropsAndColour ? colours : nil)
  }

  /// The views of photos whose features are cached, the photo itself among them.
  var cachedViews: [Augmentation] {
    (0..<(self.augmentation == .none ? self.views : 1)).map {
      $0 == 0 ? Augmentation(0) : Augmentation($0, seed: self.seed)
    }
  }

  /// How the run's photos are decoded.
  var decoding: PhotoDecoding { self.exactDecoding ? .exact : .scaled }

  /// As a run has it that keeps these options: earlier versions, which knew no other way, decoded exactly.
  var ofARun: Self {
    var result = self
    if !isSet(TrainingSettings.declared.exactDecoding) { result.exactDecoding = true }
    return result
  }

  /// Changes every rule that is gradient descent; `change` gets its momentum and whether it looks ahead.
  mutating func changeGradientDescent(_ change: (Double, Bool) -> OptimizerRule) {
    if case .sgd(let momentum, let nesterov) = self.optimizer {
      self.optimizer = change(momentum, nesterov)
    }
    if case .sgd(let momentum, let nesterov) = self.encoderOptimizer {
      self.encoderOptimizer = change(momentum, nesterov)
    }
  }
}
