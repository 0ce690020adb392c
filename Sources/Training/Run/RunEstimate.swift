internal import Models
internal import Datasets
internal import Foundation
internal import Kernels
internal import Tensors

/// Roughly what a run will take: from its sizes, and from the speed that a few probes of this machine show.
public struct RunEstimate: Sendable, Encodable {
  /// Seconds: all views of all images through the frozen convolutions, and photos that are only decoded; one epoch, validation included, when all learns
  /// that is to learn; as many epochs as the run may have.
  public let featureSeconds, epochSeconds, totalSeconds: Double
  /// Memory of the process; files of the run, of which the features stay after it; free space where they would be.
  public let memoryBytes, diskBytes, freeDiskBytes: Int

  /// - Parameters:
  ///   - folder: where the run would be.
  ///   - decodeSeconds: what decoding one image took.
  init(
    _ configuration: TrainingConfiguration, _ source: EncoderSource, _ check: DataCheck,
    _ sources: RunSources,
    folder: String, decodeSeconds: Double
  ) throws {
    let network = try RunNetwork(configuration, source)
    let lastMap = network.architecture.mapShape(
      height: source.preprocessing.height, width: source.preprocessing.width)
    let sizes = try RunSizes(
      configuration, check, network.architecture, sources,
      regions: lastMap[0] * lastMap[1])
    let (batch, beam) = (Double(configuration.batchSize), Double(configuration.validationBeamWidth))

    // The convolutions, where there are some.
    let encoder =
      try source.features == nil
      ? VGGEncoder(
        network.frozen, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
        caching: .resident) : nil
    // Trained and validated on the same images they share a file.
    let shared =
      check.train.images == check.validation.images && check.sharedImages.count == check.train.images
    let isAugmented = configuration.augmentation != .none
    let scored = sources.scoredList?.files.count ?? 0
    let learned = check.train.images + (sources.labelledList?.files.count ?? 0)
    let rows =
      encoder == nil
      ? 0
      : (scored + (isAugmented ? 0 : learned)) * configuration.cachedViews.count
        + (shared && !isAugmented ? 0 : check.validation.images)
    let kept = isAugmented ? learned : 0
    let encoding = encoder.map { MachineSpeed.secondsAnImage($0) } ?? 0
    featureSeconds = Double(rows) * (encoding + decodeSeconds) + Double(kept) * decodeSeconds
    let together = min(
      8, configuration.batchSize, configuration.microBatch > 0 ? configuration.microBatch : 8)
    var convolutions = try network.convolutions
    let (map, width) = (network.mapShape, network.featureWidth)
    var learning = MachineSpeed.Convolutions()
    if convolutions != nil {
      learning = MachineSpeed.Convolutions(&convolutions!, map: map, images: together)
    }
    let tuned = convolutions?.scalarCount ?? 0
    let fixed = network.convolutionScalars - tuned
    if configuration.microBatch > 0 { learning.backward += learning.forward }

    // Forward once, backward twice, two operations a multiplication; words of the model's own are one pass more.
    let own = configuration.samplingCurve == .none ? 0.0 : 2
    let drawn = sizes.rows * Double(configuration.selfCriticalSamples) * sizes.spokenWords
    let operations =
      (6 + own) * sizes.words * sizes.perWord + 6 * sizes.rows * sizes.perImage
      + 6 * sizes.besideOperations + 8 * drawn * sizes.perWord
    let steps = (sizes.units / batch).rounded(.up)
    let images = Double(check.validation.images)
    let validation =
      4 * sizes.validationWords * sizes.perWord + 2 * images * sizes.perImage
      + 2 * images * beam * sizes.spokenWords * sizes.perWord
    let speed = (operations: MachineSpeed.operationsPerSecond(), bytes: MachineSpeed.bytesPerSecond())
    func traffic(_ rule: OptimizerRule, _ scalars: Int) -> Double {
      // Norm, update and moving average read and write so many bytes a parameter.
      let bytes = 16 + 8 * rule.momentNames.count + (configuration.averageDecay > 0 ? 12 : 0)
      return steps * Double(scalars * bytes) / speed.bytes
    }
    let frozen =
      (operations + validation) / speed.operations + traffic(configuration.optimizer, sizes.parameters)
      + (sizes.rows + images) * learning.forward
      + (isAugmented ? (sizes.rows - sizes.scoredRows) * encoding : 0)
    let tuning =
      sizes.rows * learning.backward + steps * learning.transform
      + traffic(configuration.encoderOptimizer, tuned)
    let epochs = Double(configuration.epochs)
    let share = max(0, 1 - Double(configuration.fineTuneAfter) / max(1, steps * epochs))
    epochSeconds = frozen + (share > 0 ? tuning : 0)
    let before =
      Double(configuration.textSteps) * 6 * sizes.textWords * sizes.perWord
      + Double(configuration.teacherSteps) * 6 * Double(configuration.teacherBatch)
      * (sizes.perImage + sizes.perScored)
    totalSeconds = featureSeconds + before / speed.operations + epochs * (frozen + share * tuning)

    // Value, running values of the rule, average: what a checkpoint holds of a parameter.
    func stored(_ rule: OptimizerRule) -> Int {
      4 * (1 + rule.momentNames.count + (configuration.averageDecay > 0 ? 1 : 0))
    }
    let checkpoint =
      sizes.parameters * stored(configuration.optimizer) + tuned * stored(configuration.encoderOptimizer)
    // Gradients and the validated copy beside; Winograd's 36 numbers for 9 of the frozen convolutions, beside the 9.
    let weights = checkpoint + sizes.parameters * 8 + tuned * 4 + fixed * 20
    let step =
      configuration.batchSize * width * 4
      + (convolutions?.trainingMemory(
        images: configuration.batchSize, height: map[0], width: map[1],
        microBatch: configuration.microBatch > 0 ? configuration.microBatch : nil, on: .cpu) ?? 0)
    memoryBytes = weights + step + sizes.activationBytes + sizes.datasetBytes + 200 << 20
    // Checkpoint and model are written beside the ones they replace.
    let model = (sizes.parameters + fixed + tuned) * configuration.precision.size
    let photo = ReducedPhotoCache.width(pixels: AugmentedPhotos.pixels(for: source.preprocessing))
    diskBytes = kept * photo + rows * width * network.featureType.size + 2 * (checkpoint + model)
    freeDiskBytes = Self.freeSpace(at: folder)
  }

  /// Whether the run's files fit.
  public var fits: Bool { diskBytes <= freeDiskBytes }

  /// Free bytes on the disk that will hold `path`, which may not be there yet.
  private static func freeSpace(at path: String) -> Int {
    var folder = URL(fileURLWithPath: path)
    while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
      folder.deleteLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max
  }
}
