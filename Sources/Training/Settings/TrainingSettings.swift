public import Models
public import Datasets
internal import Imaging
public import Kernels
public import Layers
public import Tensors

/// The options of a training run. Each is declared here and nowhere else: a new one is a new property.
///
/// `TrainingConfiguration` has a value of each under the same name: `configuration.learningRate`. The file is long because
/// it is a list: options are found as the stored properties of one type.
public struct TrainingSettings: Sendable {
  // MARK: Data

  /// Caption files to train on, in any format that `CaptionDataset` reads; as one data set.
  public let captions = Setting(
    .data, "captions", [String](), "Captions to train on, in any format evaluate takes; may be repeated."
  )
  .onResume(.byContent)
  /// Folders of their images: one for each, or one for all.
  public let images = Setting(
    .data, "images", [String](), "Folder of their images: one for each --captions, or one for all."
  ).placeholder("folder")
    .onResume(.byContent)
  /// Files of features of the images, made by another program's encoder, in the place of photos and encoder.
  public let features = Setting(
    .data, "features", [String](),
    "Features of the images, by any encoder, in the place of --encoder and the photos: safetensors, as captioner features "
      + "writes, NPZ, HDF5, or a folder of NPY files; may be repeated."
  )
  .onResume(.byContent)
  /// What those features are called.
  public let featuresName = Setting(
    .data, "features-name", "",
    "What they are called, \"CLIP ViT-B/32\" say: the model tells whoever uses it that it wants these."
  ).within(
    Bounds("a line of at most \(GivenFeatures.longestName) bytes") {
      $0.utf8.count <= GivenFeatures.longestName && !$0.utf8.contains { $0 < 0x20 }
    }
  ).placeholder("name").only(.withFeatures).onResume(.free)
  /// How often each caption file's captions come; empty: every caption once an epoch.
  public let weights = Setting(
    .data, "weight", [Double](),
    "How often captions of each --captions come, in order: one number a file, in proportion to each other. An epoch "
      + "has as many captions as all files together, a small file's then more than once."
  ).within(
    Bounds("numbers of 0 or more, not all 0") { weights in
      weights.isEmpty || weights.allSatisfy { $0 >= 0 && $0 < 1e6 } && weights.contains { $0 > 1e-6 }
    }
  )
  .onResume(.betweenEpochs)
  /// The split to train on of files with splits; empty: `train`, `restval` included.
  public let split = Setting(
    .data, "split", "",
    "Split of files that have some: train (restval included), train-only, val, test or all; train unless given."
  )
  .onResume(.byContent)
  /// Caption files to validate on; none: another split of the training files.
  public let validationCaptions = Setting(
    .data, "validation-captions", [String](),
    "Captions to validate on; may be repeated; the val split of --captions unless given."
  )
  .onResume(.byContent)
  /// Folders of their images; none: those of the training images.
  public let validationImages = Setting(
    .data, "validation-images", [String](), "Folder of their images, as --images; --images unless given."
  ).placeholder("folder")
    .onResume(.byContent)
  /// The split to validate on of files with splits; empty: `val`.
  public let validationSplit = Setting(
    .data, "validation-split", "", "Split to validate on of files that have some; val unless given."
  )
  .onResume(.byContent)
  /// The share of the training files' images that validate instead, chosen at random; 0: none.
  public let validationShare = Setting(
    .data, "validation-share", 0.0,
    "Share of the images to validate on instead of training on them, 0.1 say, chosen at random by --seed."
  ).within(.share).placeholder("share").only(.withoutValidationData)
  /// Lists of images that are left out, to train and to validate on: names, one a line.
  public let skip = Setting(
    .data, "skip", [String](),
    "List of images to leave out, a name a line, as doctor --skip-list writes; may be repeated."
  ).onResume(.byContent)
  /// The most words of a caption that is learned; 0: any number.
  public let maximumLength = Setting(
    .data, "max-length", 0, "Most words of a caption to learn; 0: any number."
  )
  .within(.zeroOrMore(upTo: 1 << 20)).formerly("maximum_length").placeholder("words")
  /// What becomes of longer ones.
  public let longCaptions = Setting(
    .data, "long-captions", LengthLimit.Rule.clip,
    "Longer ones: clip keeps their first words, drop leaves them out."
  ).only(.withLengthLimit)
  /// Whether the captions of a batch are of like length: they then end at about the same time step.
  public let lengthBuckets = Setting(
    .data, "length-buckets", false,
    "Batches of captions of like length: quicker, as they end together, if less random."
  )
  .onResume(.betweenEpochs)
  /// Captions kept of each image for training: those that agree most with its others; 0: all.
  public let consensus = Setting(
    .data, "consensus", 0, "Learn only the captions of each image that agree most, this many; 0: all."
  ).within(.zeroOrMore(upTo: 1 << 20)).placeholder("captions")
  /// Words seen less often become `<unk>`.
  public let minimumCount = Setting(.data, "min-count", 5, "Words seen less often become <unk>.")
    .within(.range(1...1 << 20)).formerly("minimum_count").placeholder("times")
  /// Views of each training image, of which a caption sees one at random: the image, its mirror image, random crops.
  public let views = Setting(
    .data, "views", 2, "Views of each image to learn from: itself, mirrored, then random crops."
  ).within(.range(1...64)).only(.withViews)
  /// Whether photos are changed anew at every step, in place of views that are made once.
  public let augmentation = Setting(
    .data, "augmentation", TrainingConfiguration.AugmentationKind.none,
    "In place of --views, change photos anew at every step: random crops, half of them mirrored, and other colours too. "
      + "Dear: the convolutions before --fine-tune-from, else all, then run for every photo of every step; with "
      + "--batch-unit images the captions of a photo share a crop. Photos of --teacher-scores stay as they are."
  )
  /// The smallest share of a photo's area that a crop has.
  public let smallestCrop = Setting(
    .data, "smallest-crop", 0.5, "Smallest share of a photo's area that a crop has."
  ).within(Bounds("0.01 to 1") { (0.01...1).contains($0) }).placeholder("share").only(.withAugmentation)
    .onResume(.free)
  /// The largest ratio of a crop's width to its height; the smallest is one over it.
  public let cropRatio = Setting(
    .data, "crop-ratio", 1.3333, "Largest ratio of a crop's sides, which are then stretched to the network's."
  ).within(Bounds("1 to 10") { (1...10).contains($0) }).placeholder("ratio").only(.withAugmentation)
    .onResume(.free)
  /// How often a crop is mirrored.
  public let mirrorChance = Setting(
    .data, "mirror-chance", 0.5, "How often left and right are exchanged; 0 where captions tell them apart."
  ).within(Bounds("0 to 1") { (0...1).contains($0) }).placeholder("share").only(.withAugmentation)
    .onResume(.free)
  /// How far the factor on brightness may be from 1.
  public let brightnessJitter = Setting(
    .data, "brightness-jitter", 0.4, "How far the random factor on brightness may be from 1."
  ).within(Bounds("0 to 10") { (0...10).contains($0) }).placeholder("strength").only(.withColourJitter)
    .onResume(.free)
  /// How far the factor on contrast may be from 1.
  public let contrastJitter = Setting(
    .data, "contrast-jitter", 0.4, "How far the random factor on contrast may be from 1."
  ).within(Bounds("0 to 10") { (0...10).contains($0) }).placeholder("strength").only(.withColourJitter)
    .onResume(.free)
  /// How far the factor on saturation may be from 1.
  public let saturationJitter = Setting(
    .data, "saturation-jitter", 0.4, "How far the random factor on saturation may be from 1."
  ).within(Bounds("0 to 10") { (0...10).contains($0) }).placeholder("strength").only(.withColourJitter)
    .onResume(.free)
  /// Whether every pixel of large JPEGs is decoded, as earlier versions did, or no finer than twice the side that the
  /// network reads.
  public let exactDecoding = Setting(
    .data, "exact-decoding", false,
    "Decode every pixel of large JPEGs; else no finer than twice the side that the network reads, which is faster."
  ).only(.withoutFeatures)
  /// Whether what is there of damaged photos is taken.
  public let lenient = Setting(
    .data, "lenient", false,
    "Take what is there of photos that are damaged or cut short (but for HEIC and AVIF); missing rows are grey."
  ).only(.withoutFeatures).onResume(.byContent)
  /// The most pixels of a photo.
  public let maximumPixels = Setting(
    .data, "max-pixels", ImageReader.usualMaximumPixels,
    "The largest photo that is read, in pixels; memory stays bounded all the same."
  ).within(.oneOrMore(upTo: 1 << 40)).only(.withoutFeatures).onResume(.byContent)

  // MARK: Beside captions

  /// Text files of sentences without photos.
  public let text = Setting(
    .beside, "text", [String](),
    "Sentences without photos, a line each, UTF-8: the decoder learns them with nothing of an image added. Their words "
      + "count for --min-count as those of captions do; may be repeated."
  )
  .onResume(.byContent)
  /// Steps of text alone before the captions begin.
  public let textSteps = Setting(
    .beside, "text-steps", 0, "Steps of --batch-size sentences before the captions begin."
  ).within(.zeroOrMore(upTo: 1 << 40)).placeholder("steps").only(.withText)
  /// The share of a batch's sentences that are text.
  public let textShare = Setting(
    .beside, "text-share", 0.0,
    "Share of text among the sentences of each batch, beside as many captions as ever."
  ).within(.from(0, below: 0.95)).placeholder("share").only(.withText)
    .onResume(.free)
  /// Files of labels of photos.
  public let labels = Setting(
    .beside, "labels", [String](),
    "Photos of one thing each: JSON [{\"file_name\", \"label\"}], or a table with these columns; may be repeated. Words of "
      + "labels enter the vocabulary however rare they are."
  )
  .onResume(.byContent)
  /// Folders of those photos.
  public let labelImages = Setting(
    .beside, "label-images", [String](), "Folder of their photos: one for each --labels, or one for all."
  ).placeholder("folder").only(.withLabels)
    .onResume(.byContent)
  /// A table of everyday words for labels.
  public let labelNames = Setting(
    .beside, "label-names", "",
    "Table of everyday words for labels, beach wagon to car: a name and a word a line, apart by a tab or a comma; - leaves "
      + "photos out."
  ).placeholder("file").only(.withLabels)
    .onResume(.byContent)
  /// What naming photos weighs.
  public let labelWeight = Setting(
    .beside, "label-weight", 0.0,
    "Weight of naming those photos beside captioning: v, through a layer that only training has, against the words' rows of "
      + "the vocabulary projection."
  ).within(Bounds("0 to 1000") { (0...1000).contains($0) }).placeholder("weight").only(.withLabels)
  /// Photos to be named in each step.
  public let labelBatch = Setting(.beside, "label-batch", 32, "Photos to be named in each step.")
    .within(.range(1...1 << 14)).placeholder("photos").only(.withLabelWeight)
    .onResume(.free)
  /// The share of a batch's sentences that are made of labels.
  public let labelCaptions = Setting(
    .beside, "label-captions", 0.0,
    "Share of captions made of labels, \"a photo of a crab\", among the sentences of each batch."
  ).within(.from(0, below: 0.95)).placeholder("share").only(.withLabels)
    .onResume(.free)
  /// Steps over which that share falls to zero.
  public let labelCaptionsUntil = Setting(
    .beside, "label-captions-until", 0, "Step by which that share has fallen to zero; 0: it stays."
  ).within(.zeroOrMore(upTo: 1 << 40)).placeholder("step").only(.withLabelCaptions)
    .onResume(.free)
  /// A file of a teacher's class scores.
  public let teacherScores = Setting(
    .beside, "teacher-scores", "",
    "Class scores that another network, the teacher, gives photos (safetensors, as tools/teacher/scores writes): a layer on "
      + "v that only training has learns them."
  ).placeholder("file")
    .onResume(.byContent)
  /// The folder of the photos that it saw.
  public let teacherImages = Setting(
    .beside, "teacher-images", "", "Folder of those photos; that of --images unless given."
  ).placeholder("folder").only(.withTeacher)
    .onResume(.byContent)
  /// How soft the scores are made.
  public let teacherTemperature = Setting(
    .beside, "teacher-temperature", 2.0, "What its scores are divided by before their softmax."
  ).within(.from(0.1, below: 1000)).only(.withTeacher)
    .onResume(.free)
  /// Steps of a teacher's photos alone before the captions begin.
  public let teacherSteps = Setting(
    .beside, "teacher-steps", 0, "Steps of --teacher-batch photos before text and captions begin."
  ).within(.zeroOrMore(upTo: 1 << 40)).placeholder("steps").only(.withTeacher)
  /// What a teacher weighs beside captions.
  public let teacherScoresWeight = Setting(
    .beside, "teacher-scores-weight", 0.0, "Weight of the teacher beside captioning."
  ).within(Bounds("0 to 1000") { (0...1000).contains($0) }).placeholder("weight").only(.withTeacher)
  /// Photos that a step learns of a teacher.
  public let teacherBatch = Setting(
    .beside, "teacher-batch", 100, "Photos that a step learns of the teacher."
  ).within(.range(1...1 << 14)).placeholder("photos").only(.withTeacher)
    .onResume(.free)

  // MARK: Model

  /// Convolution weights: safetensors, or another program's file that is known.
  public let encoder = Setting(
    .model, "encoder", "",
    "Convolutions: VGG weights (safetensors, PyTorch, Keras, …) or a model; else --start's or the embedded model's."
  )
  .placeholder("file")
  .onResume(.byContent)
  /// How pixels become the network's input: as the weights file says (else torchvision's), `torchvision` or `caffe`.
  public let preprocessing = Setting(
    .model, "preprocessing", "auto", "How pixels become input; auto: as the weights file says."
  ).within(Bounds("auto, torchvision or caffe") { ["auto", "torchvision", "caffe"].contains($0) })
    .placeholder("choice").only(.withoutFeatures)
    .onResume(.byContent)
  /// A model file to begin from instead of random weights; empty: none, or where captions are few and the encoder is
  /// that of a model, that model; `none`: none.
  public let start = Setting(
    .model, "start", "",
    "Model to begin from: what fits is taken, and of its words those in the captions; none: random weights."
  ).placeholder("file")
    .onResume(.byContent)
  /// What turns the last map into v; trained.
  public let head = Setting(
    .model, "head", VGGArchitecture.Head.compact,
    "Fully connected layers between the last map and v; mean has none, and v is the map's mean; with --features compact is "
      + "one, compact2 two, and none makes v of them as they are."
  )
  /// What follows the sums of those layers.
  public let activation = Setting(
    .model, "activation", ActivationName.relu,
    "Activation of those layers; prelu learns one slope a layer, maxout takes the larger of two sums.")
  /// How the averaged map is normalised before those layers read it.
  public let featureNormalization = Setting(
    .model, "feature-normalization", FeatureNormalizationName.none,
    "What is done to the averaged map first: subtract each channel's mean, standardize each image, or whiten (PCA)."
  )
  /// Principal components that are left of a whitened map.
  public let whiteningComponents = Setting(
    .model, "whitening-components", 512, "Principal components of the averaged map that are kept."
  ).within(.range(1...FeatureNormalization.widestWhitened)).only(.withWhitening)
  /// ε of whitening.
  public let whiteningEpsilon = Setting(
    .model, "whitening-epsilon", 0.01,
    "What is added to each variance before it is divided by, as a share of their mean."
  ).within(Bounds("1e-6 to 1000") { (1e-6...1000).contains($0) }).placeholder("share").only(.withWhitening)
  /// Size of v (D).
  public let featureSize = Setting(.model, "feature-size", 4096, "Size of v.").within(.range(1...1 << 16))
  /// Size of the word embedding (E).
  public let embeddingSize = Setting(.model, "embedding-size", 512, "Size of the word embedding.")
    .within(.range(1...1 << 14))
  /// Units of a recurrent layer (H).
  public let hiddenSize = Setting(.model, "hidden-size", 512, "Units of a recurrent layer.").within(
    .range(1...1 << 14))
  /// What the recurrent layers are made of.
  public let cell = Setting(.model, "cell", CellName.lstm, "What the recurrent layers are made of.")
  /// Recurrent layers on top of each other.
  public let layers = Setting(.model, "layers", 1, "Recurrent layers on top of each other.").within(
    .range(1...DecoderDescription.mostLayers)
  ).only(.withStack)
  /// Whether layers above the first pass on h + what they read.
  public let residual = Setting(
    .model, "residual", false, "Layers above the first pass on h + what they read."
  ).only(.withSeveralLayers)
  /// The bias of the forget gates at first.
  public let forgetBias = Setting(.model, "forget-bias", 1.0, "Bias of the forget gates at first.")
    .within(Bounds("-100 to 100") { abs($0) <= 100 }).only(.withRememberingGate)
  /// How the image enters the decoder.
  public let conditioning = Setting(
    .model, "conditioning", ConditioningName.gates,
    "How the image enters: in the gates' sums, as the first input, by soft or hard attention to its regions, by "
      + "top-down attention, which has two layers, in a multimodal layer after the recurrent ones (m-RNN), or "
      + "beside a visual memory that reconstructs it from the words."
  )
  /// Where W_ih·v enters.
  public let injection = Setting(
    .model, "injection", Injection.everyStep,
    "At which steps W_ih·v enters; never: attention or initial states alone."
  ).only(.withInjection)
  /// The layer that the image enters, from 1.
  public let imageLayer = Setting(.model, "image-layer", 1, "Layer that the image enters, from the bottom.")
    .within(.range(1...4)).placeholder("layer").only(.withImageInLayers)
  /// Whether the image is also the state that captions begin with.
  public let initialStates = Setting(
    .model, "initial-states", false, "Captions begin with states made from the image, not with zeros."
  ).only(.withImageInLayers)
  /// Whether those states are a sum, without tanh.
  public let linearStates = Setting(
    .model, "linear-states", false, "Those states are a sum, without tanh (with --initial-states)."
  ).only(.withImageInLayers)
  /// Units of the layer in which word, state and image meet (M).
  public let multimodalSize = Setting(
    .model, "multimodal-size", 512, "Units of the layer in which word, state and image meet."
  ).within(.range(1...1 << 14)).only(.withMultimodalLayer)
  /// Units of the visual memory (U).
  public let memorySize = Setting(.model, "memory-size", 512, "Units of the visual memory.")
    .within(.range(1...1 << 14)).only(.withVisualMemory)
  /// How fine the grid of regions is.
  public let regionGrid = Setting(
    .model, "region-grid", TrainingConfiguration.RegionGrid.coarse,
    "Regions that attention looks at: after the last pool (7x7), or before it (14x14)."
  ).only(.withAttention)
  /// Size of a region's value (A).
  public let regionSize = Setting(.model, "region-size", 512, "Size of what attention sums of a region.")
    .within(.range(1...1 << 14)).only(.withAttention)
  /// Size of a region's key (K).
  public let attentionSize = Setting(
    .model, "attention-size", 256, "Size of what attention compares with the state."
  ).within(.range(1...1 << 14)).only(.withAttention)
  /// Whether a gate says how much what is seen counts.
  public let attentionGate = Setting(
    .model, "attention-gate", false, "A gate decides at each word how much what is seen counts."
  ).only(.withAttentionGate)
  /// Whether there is a gate for each number of what is seen.
  public let attentionGateEach = Setting(
    .model, "attention-gate-each", false,
    "A gate for each number of what is seen, not one for all (with --attention-gate)."
  ).only(.withAttentionGate)
  /// By what a region and the state are compared.
  public let attentionComparison = Setting(
    .model, "attention-comparison", Attention.Comparison.tanh,
    "What a region's key and the state's go through before they are scored: tanh or relu."
  ).only(.withAttention)

  // MARK: Convolutions that learn

  /// The first convolution that learns, `conv5_1` say; empty: the convolutions stay as they are.
  public let fineTuneFrom = Setting(
    .encoder, "fine-tune-from", "", "First convolution that learns, conv5_1 say; none unless given.")
  /// Steps before the convolutions begin to learn.
  public let fineTuneAfter = Setting(
    .encoder, "fine-tune-after", 0, "Steps before the convolutions begin to learn."
  ).within(.zeroOrMore(upTo: 1 << 40)).placeholder("steps").only(.withFineTuning)
  /// How a gradient becomes a step of the convolutions.
  public let encoderOptimizer = Setting(
    .encoder, "encoder-optimizer", OptimizerRule.adam(),
    "How a gradient becomes a step of the convolutions; --config takes all numbers of a rule."
  ).only(.withFineTuning)
  /// Their step size, at the highest; it rises and falls as the other does.
  public let encoderLearningRate = Setting(
    .encoder, "encoder-learning-rate", 1e-5, "Learning rate of the convolutions at its highest."
  ).within(.from(0, below: 1)).placeholder("rate").only(.withFineTuning)
    .onResume(.free)
  /// Decay of their weights.
  public let encoderWeightDecay = Setting(
    .encoder, "encoder-weight-decay", 0.0, "Decay of the convolutions' weights."
  ).within(.from(0, below: 1)).placeholder("rate").only(.withFineTuning)
    .onResume(.free)
  /// Images whose activations are kept at a time while convolutions learn; 0: all of a batch.
  public let microBatch = Setting(
    .encoder, "micro-batch", 0,
    "Images whose activations are kept at a time while convolutions learn; 0: all."
  ).within(.zeroOrMore(upTo: 1 << 14)).placeholder("images").only(.withFineTuning)
    .onResume(.free)
  /// Whether batch normalisation keeps the running statistics that it has, and goes by them, while convolutions learn.
  public let freezeStatistics = Setting(
    .encoder, "freeze-statistics", false,
    "Batch normalisation keeps the statistics that it has and goes by them, as --micro-batch needs."
  ).only(.withFineTuning)

  // MARK: Optimisation

  /// Passes over the training captions, at most.
  public let epochs = Setting(.optimisation, "epochs", 30, "Passes over the captions, at most.")
    .within(.range(1...1 << 20))
    .onResume(.free)
  /// What a batch is made of.
  public let batchUnit = Setting(
    .optimisation, "batch-unit", TrainingConfiguration.BatchUnit.captions,
    "Batches of captions, or of images with all their captions."
  )
  .onResume(.betweenEpochs)
  /// Captions or images per step (B).
  public let batchSize = Setting(.optimisation, "batch-size", 100, "Captions or images per step.")
    .within(.range(1...1 << 14))
    .onResume(.betweenEpochs)
  /// How a gradient becomes a step of head and decoder.
  public let optimizer = Setting(
    .optimisation, "optimizer", OptimizerRule.adam(),
    "How a gradient becomes a step; --config takes all numbers of a rule.")
  /// μ of every rule that is `sgd`; a part of those rules.
  public let momentum = Setting(.optimisation, "momentum", 0.0, "Momentum of sgd.")
    .within(.share).only(.withGradientDescent)
    .changing { configuration, momentum in
      configuration.changeGradientDescent { _, nesterov in .sgd(momentum: momentum, nesterov: nesterov) }
    }
  /// Nesterov's look ahead of every rule that is `sgd`; a part of those rules.
  public let nesterov = Setting(.optimisation, "nesterov", false, "Nesterov's momentum, with sgd.")
    .only(.withGradientDescent)
    .changing { configuration, nesterov in
      configuration.changeGradientDescent { momentum, _ in .sgd(momentum: momentum, nesterov: nesterov) }
    }
  /// The step size, at its highest.
  public let learningRate = Setting(.optimisation, "learning-rate", 4e-4, "Learning rate at its highest.")
    .within(.between(0, 10)).placeholder("rate")
    .onResume(.free)
  /// Steps over which the learning rate rises linearly to its highest.
  public let warmUp = Setting(.optimisation, "warm-up", 0, "Steps over which the learning rate rises.")
    .within(.zeroOrMore(upTo: 1 << 40)).placeholder("steps")
    .onResume(.free)
  /// How the learning rate falls after the warm-up.
  public let schedule = Setting(
    .optimisation, "schedule", TrainingConfiguration.Schedule.plateau, "How the learning rate falls."
  )
  .onResume(.free)
  /// What the learning rate is multiplied by when it falls.
  public let learningRateDecay = Setting(
    .optimisation, "learning-rate-decay", 0.5, "Factor on the learning rate when it falls."
  ).within(Bounds("more than 0 and at most 1") { $0 > 0 && $0 <= 1 }).placeholder("factor")
    .only(.withFallingRate)
    .onResume(.free)
  /// Steps between falls of the step and exponential schedules.
  public let decayEvery = Setting(
    .optimisation, "decay-every", 1000, "Steps between falls of the step and exponential schedules."
  ).within(.oneOrMore(upTo: 1 << 40)).placeholder("steps").only(.withPeriodicFalls)
    .onResume(.free)
  /// Epochs without improvement before the plateau schedule lowers the learning rate.
  public let decayPatience = Setting(
    .optimisation, "decay-patience", 1, "Epochs without improvement before the plateau schedule's rate falls."
  ).within(.range(1...1 << 20)).placeholder("epochs").only(.withPlateaus)
    .onResume(.free)
  /// Epochs without improvement before training ends.
  public let stopPatience = Setting(
    .optimisation, "stop-patience", 4, "Epochs without improvement before training ends."
  ).within(.range(1...1 << 20)).placeholder("epochs")
    .onResume(.free)
  /// The gradient's L2 norm is clipped to this; 0: never.
  public let clipNorm = Setting(.optimisation, "clip-norm", 5.0, "Largest norm of the gradient; 0: any.")
    .within(Bounds("0 or more") { $0 >= 0 && $0.isFinite }).placeholder("norm")
    .onResume(.free)
  /// Decay of the moving average of the weights that is validated and saved; 0: the weights themselves.
  public let averageDecay = Setting(
    .optimisation, "average-decay", 0.999,
    "Decay of the moving average of the weights that is validated and saved; 0: none."
  ).within(.share).placeholder("share")
  /// What the steps multiply; validation and the features are always float32.
  public let arithmetic = Setting(
    .optimisation, "arithmetic", Arithmetic.float32,
    "What training steps multiply; bfloat16 is faster on CPUs that have it."
  )
  .onResume(.free)

  // MARK: Regularisation

  /// Decay of the weights: an L2 penalty, decoupled with AdamW.
  public let weightDecay = Setting(.regularisation, "weight-decay", 0.0, "Decay of the weights.")
    .within(.from(0, below: 1)).placeholder("rate")
    .onResume(.free)
  /// Share of each target word's probability that is spread over the vocabulary in training.
  public let labelSmoothing = Setting(
    .regularisation, "label-smoothing", 0.0, "Share of a target's probability spread over all words."
  ).within(.share).placeholder("share")
    .onResume(.free)
  /// Share of the averaged map, the head's input, dropped in training.
  public let pooledDropout = Setting(
    .regularisation, "pooled-dropout", 0.0, "Dropout of the averaged map, the head's input."
  ).within(.share).placeholder("share")
    .onResume(.free)
  /// Share of v dropped in training.
  public let featureDropout = Setting(.regularisation, "feature-dropout", 0.5, "Dropout of v.")
    .within(.share).placeholder("share")
    .onResume(.free)
  /// Share of the word embedding dropped in training.
  public let embeddingDropout = Setting(
    .regularisation, "embedding-dropout", 0.5, "Dropout of the word embedding."
  ).within(.share).placeholder("share")
    .onResume(.free)
  /// Share of h dropped between layers in training.
  public let layerDropout = Setting(.regularisation, "layer-dropout", 0.0, "Dropout of h between layers.")
    .within(.share).placeholder("share").only(.withSeveralLayers)
    .onResume(.free)
  /// Share of the regions' values dropped in training.
  public let regionDropout = Setting(
    .regularisation, "region-dropout", 0.0, "Dropout of the regions' values."
  ).within(.share).placeholder("share").only(.withAttention)
    .onResume(.free)
  /// λ of attention's doubly stochastic regulariser.
  public let attentionPenalty = Setting(
    .regularisation, "attention-penalty", 0.0,
    "Weight of a penalty on captions that do not look at every region about once (Xu et al. 2015)."
  ).within(Bounds("0 to 1000") { (0...1000).contains($0) }).placeholder("weight").only(.withAttention)
    .onResume(.free)
  /// The share of captions whose regions hard attention draws.
  public let attentionSampling = Setting(
    .regularisation, "attention-sampling", 0.5,
    "Share of the captions at whose words hard attention draws a region; the others see the mean."
  ).within(Bounds("0 to 1") { (0...1).contains($0) }).placeholder("share").only(.withHardAttention)
    .onResume(.free)
  /// λ_r of hard attention.
  public let attentionReward = Setting(
    .regularisation, "attention-reward", 0.1,
    "Weight of what hard attention learns from the captions' log-probabilities."
  ).within(Bounds("0 to 1000") { (0...1000).contains($0) }).placeholder("weight").only(.withHardAttention)
    .onResume(.free)
  /// λ_e of hard attention.
  public let attentionEntropy = Setting(
    .regularisation, "attention-entropy", 0.002, "Weight of the entropy of hard attention."
  ).within(Bounds("0 to 1000") { (0...1000).contains($0) }).placeholder("weight").only(.withHardAttention)
    .onResume(.free)
  /// Decay of the moving average of captions' log-probabilities that hard attention is measured by.
  public let rewardBaselineDecay = Setting(
    .regularisation, "reward-baseline-decay", 0.9,
    "Decay of the average log-probability of captions that hard attention is measured by."
  ).within(.share).placeholder("share").only(.withHardAttention)
    .onResume(.free)
  /// λ of the visual memory's error.
  public let reconstructionWeight = Setting(
    .regularisation, "reconstruction-weight", 1.0,
    "Weight of the visual memory's error: the mean square by which it misses the numbers of v."
  ).within(Bounds("0 to 1000") { (0...1000).contains($0) }).placeholder("weight").only(.withVisualMemory)
    .onResume(.free)
  /// Share of h dropped before the vocabulary projection in training.
  public let outputDropout = Setting(
    .regularisation, "output-dropout", 0.5, "Dropout of h before the vocabulary projection."
  ).within(.share).placeholder("share")
    .onResume(.free)

  // MARK: Scheduled sampling and self-critical training

  /// How the chance of the true word falls.
  public let samplingCurve = Setting(
    .sampling, "scheduled-sampling", ScheduledSampling.Curve.none,
    "How the chance of reading the true word before falls."
  ).key("scheduled_sampling.curve")
    .onResume(.free)
  /// k of the curve.
  public let samplingK = Setting(.sampling, "sampling-k", 1.0, "k of that curve.")
    .key("scheduled_sampling.k").only(.withScheduledSampling)
    .onResume(.free)
  /// c of the linear curve, per step.
  public let samplingC = Setting(.sampling, "sampling-c", 0.0001, "c of the linear curve, per step.")
    .key("scheduled_sampling.c").only(.withLinearSampling)
    .onResume(.free)
  /// The least that the chance becomes on the linear curve.
  public let samplingFloor = Setting(
    .sampling, "sampling-floor", 0.75, "The least chance on the linear curve."
  ).key("scheduled_sampling.floor").placeholder("share").only(.withLinearSampling)
    .onResume(.free)
  /// Each word or each caption.
  public let samplingCoin = Setting(
    .sampling, "sampling-coin", ScheduledSampling.Coin.token,
    "Whether its coin decides on each token or each sequence."
  ).key("scheduled_sampling.coin").only(.withScheduledSampling)
    .onResume(.free)
  /// Likeliest or drawn.
  public let samplingChoice = Setting(
    .sampling, "sampling-choice", ScheduledSampling.Choice.sample, "How the model's own word is chosen."
  ).key("scheduled_sampling.choice").only(.withScheduledSampling)
    .onResume(.free)
  /// Captions drawn of each image for self-critical training; 0: teacher forcing alone.
  public let selfCriticalSamples = Setting(
    .sampling, "self-critical", 0, "Captions drawn of each image for self-critical training; 0: none."
  ).within(Bounds("0 or 2 to 1000") { (0...1000).contains($0) && $0 != 1 })
    .formerly("self_critical_samples").placeholder("captions")
    .onResume(.free)
  /// Captions that an image must have for some to be drawn of it.
  public let rewardReferences = Setting(
    .sampling, "reward-references", 1,
    "Images with fewer captions are taught, but none is drawn of them: rewards against a single one say little."
  ).within(.range(1...1 << 20)).placeholder("captions").only(.withSelfCritical)
    .onResume(.free)
  /// The weight of teacher forcing beside self-critical training.
  public let teacherWeight = Setting(
    .sampling, "teacher-weight", 0.5, "Weight of teacher forcing beside self-critical training."
  ).within(Bounds("0 to 1") { (0...1).contains($0) }).placeholder("share").only(.withSelfCritical)
    .onResume(.free)

  // MARK: Validation and output

  /// What decides which epoch is the best, when the learning rate falls and when the run ends.
  public let validationMetric = Setting(
    .output, "validation-metric", TrainingConfiguration.ValidationMetric.perplexity,
    "What decides which epoch is best.")
  /// Width of the beam that captions the validation images.
  public let validationBeamWidth = Setting(
    .output, "validation-beam-width", 3, "Width of the beam that captions the validation images."
  ).within(.range(1...100))
    .onResume(.free)
  /// Where METEOR's data lies; empty: METEOR is not among the scores.
  public let meteor = Setting(
    .output, "meteor", "",
    "METEOR 1.5's own data, meteor-1.5.jar or pycocoevalcap's folder meteor: validation tells METEOR too."
  ).placeholder("path")
    .onResume(.free)
  /// How the model file stores its scalars; checkpoints are always exact.
  public let precision = Setting(
    .output, "precision", StoredType.float16, "How the model file stores numbers."
  )
  .onResume(.free)
  /// Everything random follows from it.
  public let seed = Setting(.output, "seed", UInt64(1), "Everything random follows from it.")

  /// The declarations.
  static let declared = TrainingSettings()

  /// All options, in the order in which they are declared.
  public static var all: [any AnySetting] { list }

  static let list: [any StoredSetting] = Mirror(reflecting: declared).children.compactMap {
    $0.value as? any StoredSetting
  }

  /// The options under a heading.
  public static func all(in section: SettingSection) -> [any AnySetting] {
    list.filter { $0.section == section }
  }
}
