internal import Decoding
internal import Kernels
internal import Layers
internal import Models
internal import Support
internal import Tensors

/// What a step does where several processes share its batch.
extension Trainer {
  /// log p of the words of its own captions; of none, where there are fewer than processes.
  mutating func decoderForward(
    _ packed: TrainingBatch.Packed, about images: ImageFeatures, _ pass: TrainingPass
  ) -> [Float] {
    guard packed.sequences.count > 0 else { return [] }
    return network.captions.decoder.trainingForward(
      packed.sequences, about: images, pass, into: &traces.decoder, on: device)
  }

  /// The decoder's gradients, and those of images: zero where there were no captions.
  mutating func decoderBackward(
    _ packed: TrainingBatch.Packed, about images: ImageFeatures
  ) -> ImageFeatures {
    guard packed.sequences.count == 0 else {
      return network.captions.decoder.backward(&traces.decoder, on: device)
    }
    network.captions.decoder.visitParameters { parameter in
      guard parameter.learns else { return }
      parameter.gradientPointer().update(repeating: 0, count: parameter.value.count)
    }
    return ImageFeatures(
      v: Tensor(zeros: images.v.shape), regions: images.regions.map { Tensor(zeros: $0.shape) })
  }
}

extension ProcessGroup {
  /// The losses beside captions, of which each rank has a part.
  func sums(_ losses: SideLosses) throws(ProcessGroupError) -> SideLosses {
    let sums = try sums([losses.labels ?? 0, losses.scores ?? 0])
    return SideLosses(labels: losses.labels.map { _ in sums[0] }, scores: losses.scores.map { _ in sums[1] })
  }
}

extension Trainer {
  /// Gives all processes what each has of the optimisers' memory and of the averages: what a checkpoint keeps.
  mutating func shareOptimization() throws(ProcessGroupError) {
    guard group.isShared else { return }
    let group = group
    let share = { (values: inout Tensor) throws(ProcessGroupError) in try group.share(&values) }
    try optimizer.visitMoments(of: network, share)
    try encoderOptimizer.visitMoments(of: network, share)
    try average.visit(share)
  }
}

extension ProcessGroup {
  /// Gives every rank's part of a tensor to all.
  func share(_ tensor: inout Tensor) throws(ProcessGroupError) {
    guard isShared else { return }
    try shareParts(UnsafeMutableBufferPointer(start: tensor.mutablePointer(), count: tensor.count))
  }
}

extension Module {
  /// Adds up the gradients of all ranks, each its part of every one. A parameter that one of them has none of, since it had
  /// nothing to learn from, gets those of the others.
  /// - Returns: the path of the first parameter whose gradient has a scalar that is not finite; nil: all are finite.
  mutating func addUpGradients(among group: any ProcessGroup) throws(ProcessGroupError) -> String? {
    guard group.isShared else { return notFinite }
    var isThere: [Double] = []
    visitParameters { isThere.append($0.gradient == nil ? 0 : 1) }
    var ranks = try group.sums(isThere)[...]
    var (paths, faults): ([String], [Double]) = ([], [])
    try visitParameters { (parameter: inout Parameter) throws(ProcessGroupError) in
      guard ranks.removeFirst() > 0 else { return }
      let isOwn = parameter.gradient != nil
      let gradient = UnsafeMutableBufferPointer(
        start: parameter.gradientPointer(), count: parameter.value.count)
      if !isOwn { gradient.update(repeating: 0) }
      try group.addUpPart(gradient)
      paths.append(parameter.path)
      faults.append(gradient[group.part(of: gradient.count)].allSatisfy(\.isFinite) ? 0 : 1)
    }
    return zip(paths, try group.sums(faults)).first { $0.1 > 0 }?.0
  }

  /// Gives all ranks what each has changed of the parameters.
  mutating func shareValues(among group: any ProcessGroup) throws(ProcessGroupError) {
    guard group.isShared else { return }
    try visitParameters { (parameter: inout Parameter) throws(ProcessGroupError) in
      if parameter.gradient != nil { try group.share(&parameter.value) }
    }
  }
}

extension Optimizer {
  /// One step, of which each rank takes its part, after the gradients were added up so.
  /// - Returns: the norm of the whole gradient before clipping.
  @discardableResult
  mutating func update(
    _ modules: inout some Module, clipNorm: Float?, among group: any ProcessGroup, on device: Device
  ) throws(ProcessGroupError) -> Float {
    let squares = try group.sums([modules.squaredGradientNorm(part: group.part, on: device)])
    let norm = Float(squares[0].squareRoot())
    update(&modules, norm: norm, clipNorm: clipNorm, part: group.part, on: device)
    return norm
  }
}

extension TrainingConfiguration {
  /// The first option that several processes can't share a batch with, as `problem`.
  func problem(ofSharing group: any ProcessGroup, _ encoder: VGGArchitecture) -> String? {
    guard group.isShared else { return nil }
    func refusal(_ option: String, _ expected: String, _ found: Any) -> String {
      "--\(option): expected \(expected) where \(group.size) processes share every batch, found \(found)"
    }
    if self.selfCriticalSamples > 0 { return refusal("self-critical", "0", self.selfCriticalSamples) }
    if !self.fineTuneFrom.isEmpty, encoder.batchNormalization, !self.freezeStatistics {
      return refusal("fine-tune-from", "--freeze-statistics with it", "none")
    }
    if self.teacherScoresWeight > 0 || self.teacherSteps > 0, self.teacherBatch < group.size {
      return refusal("teacher-batch", "at least as many", self.teacherBatch)
    }
    return nil
  }
}
