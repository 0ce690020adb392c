public import Captioning
internal import Foundation
public import Layers
public import Tensors

/// Everything that decides a training run; saved with it as `config.json`. Missing keys take the defaults.
public struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// COCO caption JSON of the training images.
  public var captions = ""
  /// Folder of the training images.
  public var images = ""
  /// COCO caption JSON of the validation images.
  public var validationCaptions = ""
  /// Folder of the validation images.
  public var validationImages = ""
  /// Convolution weights (safetensors), torchvision's names.
  public var encoder = ""
  /// How pixels become the network's input: `auto` (as the weights file says, else torchvision's), `torchvision`
  /// or `caffe`.
  public var preprocessing = "auto"

  /// A model file to begin from instead of random weights; empty: none.
  public var start = ""
  /// Captions kept of each image, in training and validation: those that agree most with its others; 0: all.
  public var consensus = 0
  /// What decides which epoch is the best, when the learning rate falls and when the run ends.
  public enum ValidationMetric: String, Codable, Sendable, CaseIterable {
    /// Lower is better.
    case perplexity
    /// Higher is better.
    case bleu4 = "BLEU-4"
    case cider = "CIDEr"

    /// The lower the better.
    func badness(_ scores: Validation.Scores) -> Double {
      switch self {
      case .perplexity: scores.loss
      case .bleu4: -scores.Bleu_4
      case .cider: -scores.CIDEr
      }
    }
  }
  /// What decides which epoch is the best.
  public var validationMetric = ValidationMetric.perplexity
  /// Width of the beam that captions the validation images.
  public var validationBeamWidth = 3
  /// When the word before is the model's own instead of the true one.
  public var scheduledSampling = ScheduledSampling()
  /// Captions drawn of each image for self-critical training; 0: teacher forcing alone.
  public var selfCriticalSamples = 0
  /// The weight of teacher forcing beside self-critical training, 0 to 1.
  public var teacherWeight = 0.5
  /// Words seen less often become `<unk>`.
  public var minimumCount = 5
  /// E.
  public var embeddingSize = 512
  /// H.
  public var hiddenSize = 512
  /// D.
  public var featureSize = 4096
  /// What turns the last map into v; trained.
  public var head = VGGArchitecture.Head.compact
  /// Where W_ih·v enters.
  public var injection = Injection.everyStep

  /// Passes over the training captions, at most.
  public var epochs = 30
  /// Captions per step (B).
  public var batchSize = 100
  /// How the learning rate falls.
  public enum Schedule: String, Codable, Sendable, CaseIterable {
    /// By `learningRateDecay` whenever validation perplexity has stalled for `decayPatience` epochs.
    case plateau
    /// Along half a cosine to zero at the end of `epochs` (Loshchilov & Hutter 2017, without restarts).
    case cosine
  }
  /// How the learning rate falls.
  public var schedule = Schedule.plateau
  /// Adam's step size at the start.
  public var learningRate = 4e-4
  /// The learning rate is multiplied by this when validation perplexity has stalled.
  public var learningRateDecay = 0.5
  /// Epochs without improvement before the learning rate falls.
  public var decayPatience = 1
  /// Epochs without improvement before training ends.
  public var stopPatience = 4
  /// The gradient's L2 norm is clipped to this; 0: never.
  public var clipNorm = 5.0
  /// Share of each target word's probability that is spread over the vocabulary in training.
  public var labelSmoothing = 0.0
  /// Share of the averaged map, the head's input, dropped in training.
  public var pooledDropout = 0.0
  /// Share of v dropped in training.
  public var featureDropout = 0.5
  /// Share of the word embedding dropped in training.
  public var embeddingDropout = 0.5
  /// Share of h dropped before the vocabulary projection in training.
  public var outputDropout = 0.5
  /// Views of each training image, of which a caption sees one at random: the image, its mirror image, random crops.
  public var views = 2
  /// Decay of the moving average of the weights that is validated and saved; 0: the weights themselves.
  public var averageDecay = 0.999
  /// How the model file stores its scalars; checkpoints are always exact.
  public var precision = StoredType.float16
  /// Everything random follows from it.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}

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
      positive("views", views, below: 64), positive("decay patience", decayPatience),
      positive("stop patience", stopPatience),
      share("label smoothing", labelSmoothing), share("pooled dropout", pooledDropout),
      share("feature dropout", featureDropout),
      share("embedding dropout", embeddingDropout),
      share("output dropout", outputDropout), share("average decay", averageDecay),
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
      head == .none ? "head: expected full, compact or compact2, found none" : nil,
      ["auto", "torchvision", "caffe"].contains(preprocessing)
        ? nil : "preprocessing: expected auto, torchvision or caffe, found \(preprocessing)",
    ]
    return checks.lazy.compactMap(\.self).first
  }

  /// The options in which a continuation differs from its run; `epochs` may, unless the schedule depends on it.
  public func differences(from other: TrainingConfiguration) -> [String] {
    func dictionary(_ configuration: TrainingConfiguration) -> [String: String] {
      let object = try? JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration))
      return (object as? [String: Any] ?? [:]).mapValues { "\($0)" }
    }
    let (mine, theirs) = (dictionary(self), dictionary(other))
    return mine.keys.sorted().filter { mine[$0] != theirs[$0] && ($0 != "epochs" || schedule == .cosine) }
      .map { "\($0): \(theirs[$0] ?? "") then, \(mine[$0] ?? "") now" }
  }
}
