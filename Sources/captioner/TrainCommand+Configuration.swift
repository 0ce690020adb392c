import Foundation
import Training

extension TrainCommand {
  /// The defaults, then the options of a file, then the flags.
  func resolvedConfiguration() throws -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    let saved = output + "/config.json"
    if let path = config ?? (resume && FileManager.default.fileExists(atPath: saved) ? saved : nil) {
      configuration = try Self.read(path)
    } else if resume {
      throw TrainingError.nothingToResume(path: output)
    }
    func set<T>(_ field: WritableKeyPath<TrainingConfiguration, T>, _ value: T?) {
      if let value { configuration[keyPath: field] = value }
    }
    data.apply(to: &configuration)
    set(\.encoder, encoder)
    set(\.preprocessing, preprocessing)
    set(\.start, start)
    set(\.selfCriticalSamples, selfCritical)
    set(\.teacherWeight, teacherWeight)
    set(\.scheduledSampling.curve, scheduledSampling)
    set(\.scheduledSampling.k, samplingK)
    set(\.scheduledSampling.c, samplingC)
    set(\.scheduledSampling.floor, samplingFloor)
    set(\.scheduledSampling.coin, samplingCoin)
    set(\.scheduledSampling.choice, samplingChoice)
    set(\.validationMetric, validationMetric)
    set(\.validationBeamWidth, validationBeamWidth)
    set(\.minimumCount, minCount)
    set(\.embeddingSize, embeddingSize)
    set(\.hiddenSize, hiddenSize)
    set(\.featureSize, featureSize)
    set(\.head, head)
    set(\.fineTuneFrom, fineTuneFrom)
    set(\.fineTuneAfter, fineTuneAfter)
    set(\.encoderLearningRate, encoderLearningRate)
    set(\.microBatch, microBatch)
    set(\.batchUnit, batchUnit)
    set(\.injection, injection)
    set(\.epochs, epochs)
    set(\.batchSize, batchSize)
    set(\.schedule, schedule)
    if let optimizer { configuration.optimizer = optimizer.rule(momentum: momentum ?? 0, nesterov) }
    set(\.encoderOptimizer, encoderOptimizer?.rule(momentum: momentum ?? 0, nesterov))
    set(\.weightDecay, weightDecay)
    set(\.encoderWeightDecay, encoderWeightDecay)
    set(\.warmUp, warmUp)
    set(\.decayEvery, decayEvery)
    set(\.layers, layers)
    set(\.layerDropout, layerDropout)
    set(\.forgetBias, forgetBias)
    set(\.learningRate, learningRate)
    set(\.learningRateDecay, learningRateDecay)
    set(\.decayPatience, decayPatience)
    set(\.stopPatience, stopPatience)
    set(\.clipNorm, clipNorm)
    set(\.labelSmoothing, labelSmoothing)
    set(\.pooledDropout, pooledDropout)
    set(\.featureDropout, featureDropout)
    set(\.embeddingDropout, embeddingDropout)
    set(\.outputDropout, outputDropout)
    set(\.views, views)
    set(\.averageDecay, averageDecay)
    set(\.precision, precision)
    set(\.arithmetic, arithmetic)
    set(\.seed, seed)
    for (name, paths) in [
      ("--captions", configuration.captions), ("--images", configuration.images),
      ("--encoder", [configuration.encoder]),
    ] where paths.isEmpty || paths.contains("") {
      throw TrainingError.configuration("\(name): expected a path, found none")
    }
    return configuration
  }

  private static func read(_ path: String) throws -> TrainingConfiguration {
    do {
      return try TrainingConfiguration(json: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch let error as DecodingError {
      throw Failure(description: "\(path): expected options of a run: \(Self.reason(error))")
    } catch CocoaError.propertyListReadCorrupt {
      throw Failure(description: "\(path): expected options of a run: not JSON")
    } catch {
      throw Failure(description: "\(path): can't read: \(error.localizedDescription)")
    }
  }

  private static func reason(_ error: DecodingError) -> String {
    let context: DecodingError.Context? =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        context
      @unknown default: nil
      }
    guard let context else { return "\(error)" }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
  }
}
