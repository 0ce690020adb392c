import ArgumentParser
import Captioning
import Kernels
import Layers
import Tensors
import Training

/// `captioner train`: a captioner from photos and captions.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a captioner on photos with captions.",
    discussion: """
      Runs the frozen convolutions once over all images (kept in
      OUTPUT/features-*.safetensors), then trains the FC head and the LSTM
      decoder. Writes OUTPUT/model.safetensors (the best so far on validation),
      checkpoint.safetensors, config.json and log.jsonl. Ctrl-C saves and stops;
      --resume continues exactly where the run stood.

      Options come from the defaults, then --config, then the flags. --check reads
      all images and captions without training: exit status 1 if any could not
      be used.

      Examples:
        captioner train --captions train.json --images photos --validation-captions val.json \\
          --encoder vgg16.safetensors --output run
        captioner train --captions dataset_coco.json --images coco --encoder vgg16.safetensors --output run
        captioner train --resume --output run
        captioner train --config run/config.json --seed 2 --output run2
      """)

  @OptionGroup var data: TrainingDataOptions
  @Option(help: ArgumentHelp("VGG weights (safetensors, torchvision's names).", valueName: "file"))
  var encoder: String?
  @Option(help: ArgumentHelp("Folder for everything the run writes.", valueName: "folder")) var output: String
  @Option(help: ArgumentHelp("JSON file of options, as a run's config.json.", valueName: "file"))
  var config: String?
  @Flag(help: "Continue the run in --output; its options are in its config.json.") var resume = false

  @Option(help: "How pixels become input: auto, torchvision or caffe (auto).") var preprocessing: String?
  @Option(
    help: ArgumentHelp("Model to begin from; its words and sizes must be this run's.", valueName: "file"))
  var start: String?
  @Option(help: "Captions drawn of each image for self-critical training; 0: none (0).")
  var selfCritical: Int?
  @Option(help: "Weight of teacher forcing beside self-critical training, 0 to 1 (0.5).")
  var teacherWeight: Double?
  @Option(
    help:
      "How the chance of reading the true word before falls: none, linear, exponential, inverseSigmoid (none)."
  )
  var scheduledSampling: ScheduledSampling.Curve?
  @Option(help: "k of that curve (1).") var samplingK: Double?
  @Option(help: "c of the linear curve, per step (1e-4).") var samplingC: Double?
  @Option(help: "The least chance on the linear curve (0.75).") var samplingFloor: Double?
  @Option(help: "Its coin decides on each token or each sequence (token).")
  var samplingCoin: ScheduledSampling.Coin?
  @Option(help: "The model's own word: argMax or sample (sample).") var samplingChoice:
    ScheduledSampling.Choice?
  @Option(help: "What decides which epoch is best: perplexity, BLEU-4 or CIDEr (perplexity).")
  var validationMetric: TrainingConfiguration.ValidationMetric?
  @Option(help: "Width of the beam that captions the validation images (3).") var validationBeamWidth: Int?
  @Option(help: "Words seen less often become <unk> (5).") var minCount: Int?
  @Option(help: "Size of the word embedding (512).") var embeddingSize: Int?
  @Option(help: "Size of the LSTM (512).") var hiddenSize: Int?
  @Option(help: "LSTMs on top of each other, 1 to 3 (1).") var layers: Int?
  @Option(help: "Dropout between them (0).") var layerDropout: Double?
  @Option(help: "Bias of the forget gates at first (1).") var forgetBias: Double?
  @Option(help: "Size of v (4096).") var featureSize: Int?
  @Option(help: "FC head: compact, compact2 or full (compact).") var head: VGGArchitecture.Head?
  @Option(
    help: ArgumentHelp("First convolution that learns, conv5_1 say; none unless given.", valueName: "name"))
  var fineTuneFrom: String?
  @Option(help: "Steps before the convolutions begin to learn (0).") var fineTuneAfter: Int?
  @Option(help: "Learning rate of the convolutions at its highest (1e-5).")
  var encoderLearningRate: Double?
  @Option(help: "Images whose activations are kept at a time while convolutions learn; 0: all (0).")
  var microBatch: Int?
  @Option(help: "W_ih·v at everyStep or firstStep (everyStep).") var injection: Injection?
  @Option(help: "Passes over the captions, at most (30).") var epochs: Int?
  @Option(help: "Batches of captions, or of images with all their captions: captions or images (captions).")
  var batchUnit: TrainingConfiguration.BatchUnit?
  @Option(help: "Captions or images per step (100).") var batchSize: Int?
  @Option(help: "sgd, adagrad, rmsprop, adam or adamw (adam); --config takes all their numbers.")
  var optimizer: OptimizerName?
  @Option(help: "Momentum of sgd (0).") var momentum: Double?
  @Flag(help: "Nesterov's momentum, with sgd.") var nesterov = false
  @Option(help: "The same choice for the convolutions (adam).") var encoderOptimizer: OptimizerName?
  @Option(help: "Decay of the weights (0).") var weightDecay: Double?
  @Option(help: "Decay of the convolutions' weights (0).") var encoderWeightDecay: Double?
  @Option(help: "Steps over which the learning rate rises (0).") var warmUp: Int?
  @Option(help: "Steps between falls of the step and exponential schedules (1000).") var decayEvery: Int?
  @Option(help: "How the learning rate falls: constant, step, exponential, cosine or plateau (plateau).")
  var schedule: TrainingConfiguration.Schedule?
  @Option(help: "Learning rate at its highest (4e-4).") var learningRate: Double?
  @Option(help: "Factor on the learning rate when validation stalls (0.5).") var learningRateDecay: Double?
  @Option(help: "Epochs without improvement before it is applied (1).") var decayPatience: Int?
  @Option(help: "Epochs without improvement before training ends (4).") var stopPatience: Int?
  @Option(help: "Largest norm of the gradient; 0: any (5).") var clipNorm: Double?
  @Option(help: "Share of a target's probability spread over all words (0).") var labelSmoothing: Double?
  @Option(help: "Dropout of the averaged map, the head's input (0).") var pooledDropout: Double?
  @Option(help: "Dropout of v (0.5).") var featureDropout: Double?
  @Option(help: "Dropout of the word embedding (0.5).") var embeddingDropout: Double?
  @Option(help: "Dropout before the vocabulary projection (0.5).") var outputDropout: Double?
  @Option(help: "Views of each image to learn from: itself, mirrored, then random crops (2).") var views: Int?
  @Option(help: "Decay of the moving average of the weights that is validated and saved; 0: none (0.999).")
  var averageDecay: Double?
  @Option(
    help:
      "What training steps multiply: float32, or bfloat16, which is faster on CPUs that have it (float32).")
  var arithmetic: Arithmetic?
  @Option(help: "How the model file stores numbers: float16 or float32 (float16).") var precision: StoredType?
  @Option(help: "Everything random follows from it (1).") var seed: UInt64?
  @Flag(help: "Train nothing: read every image and caption and report what could not be used.")
  var check = false
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
  @Option(help: "What --check prints: text or json (one object).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  func run() throws {
    engine.apply()
    try reportingErrors {
      let configuration = try resolvedConfiguration()
      if let problem = configuration.problem { throw TrainingError.configuration(problem) }
      if check {
        let report = try DataCheckReport(configuration, output: output)
        try Console.print(format == .json ? report.json() : report.text())
        if !report.usable { throw ExitCode(1) }
        return
      }
      try TrainingSession(configuration, output: output, resume: resume).run()
    }
  }
}
