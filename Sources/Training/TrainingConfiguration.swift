public import Captioning
public import Datasets
public import Kernels
public import Layers
public import Tensors
internal import Evaluation
internal import Metrics

/// Everything that decides a training run; saved with it as `config.json`. Missing keys take the defaults.
public struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// Caption files to train on, in any format that `CaptionDataset` reads; as one data set.
  public var captions: [String] = []
  /// Folders of their images: one for each, or one for all.
  public var images: [String] = []
  /// The split to train on of files with splits: `train-only`, `train`, `val`, `test` or `all`; empty: `train`,
  /// `restval` included.
  public var split = ""
  /// Caption files to validate on; none: another split of the training files.
  public var validationCaptions: [String] = []
  /// Folders of their images; none: those of the training images.
  public var validationImages: [String] = []
  /// The split to validate on of files with splits; empty: `val`.
  public var validationSplit = ""
  /// The most words of a caption that is learned; 0: any number.
  public var maximumLength = 0
  /// What becomes of longer ones.
  public var longCaptions = LengthLimit.Rule.clip
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
    func badness(_ scores: Scores) -> Double {
      switch self {
      case .perplexity: scores.loss
      case .bleu4: -scores.bleu4
      case .cider: -scores.cider
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
  /// LSTMs on top of each other, 1 to 3.
  public var layers = 1
  /// The bias of the forget gates at first.
  public var forgetBias = 1.0
  /// D.
  public var featureSize = 4096
  /// What turns the last map into v; trained.
  public var head = VGGArchitecture.Head.compact
  /// The first convolution that learns, `conv5_1` say; empty: the convolutions stay as they are.
  public var fineTuneFrom = ""
  /// Steps before the convolutions begin to learn.
  public var fineTuneAfter = 0
  /// How a gradient becomes a step of the convolutions.
  public var encoderOptimizer = OptimizerRule.adam()
  /// Their step size, at the highest; it rises and falls as the other does.
  public var encoderLearningRate = 1e-5
  /// Decay of their weights.
  public var encoderWeightDecay = 0.0
  /// Images whose activations are kept at a time while convolutions learn; 0: all of a batch.
  public var microBatch = 0
  /// Where W_ih·v enters.
  public var injection = Injection.everyStep

  /// Passes over the training captions, at most.
  public var epochs = 30
  /// What a batch is made of.
  public enum BatchUnit: String, Codable, Sendable, CaseIterable {
    /// Captions, shuffled one by one.
    case captions
    /// Images, each with all its captions: the encoder runs once for them.
    case images
  }
  /// What a batch is made of.
  public var batchUnit = BatchUnit.captions
  /// Captions or images per step (B).
  public var batchSize = 100
  /// Whether the captions of a batch are of like length: they then end at about the same time step.
  public var lengthBuckets = false
  /// How the learning rate falls after the warm-up.
  public enum Schedule: String, Codable, Sendable, CaseIterable {
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
  /// How the learning rate falls.
  public var schedule = Schedule.plateau
  /// How a gradient becomes a step.
  public var optimizer = OptimizerRule.adam()
  /// Its step size, at the highest.
  public var learningRate = 4e-4
  /// Decay of the weights: L2 penalty, decoupled with AdamW.
  public var weightDecay = 0.0
  /// Steps over which the learning rate rises linearly to its highest.
  public var warmUp = 0
  /// What the learning rate is multiplied by when it falls.
  public var learningRateDecay = 0.5
  /// Steps between falls of the step and exponential schedules.
  public var decayEvery = 1000
  /// Epochs without improvement before the plateau schedule lowers the learning rate.
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
  /// Share of h dropped between layers in training.
  public var layerDropout = 0.0
  /// Share of h dropped before the vocabulary projection in training.
  public var outputDropout = 0.5
  /// Views of each training image, of which a caption sees one at random: the image, its mirror image, random crops.
  public var views = 2
  /// Decay of the moving average of the weights that is validated and saved; 0: the weights themselves.
  public var averageDecay = 0.999
  /// What the steps multiply; validation and the features are always float32.
  public var arithmetic = Arithmetic.float32
  /// How the model file stores its scalars; checkpoints are always exact.
  public var precision = StoredType.float16
  /// Everything random follows from it.
  public var seed: UInt64 = 1

  /// The defaults.
  public init() {}
}
