public import ArgumentParser
public import Captioning
public import Datasets
public import Kernels
public import Layers
public import Tensors
public import Training

extension VGGArchitecture.Head: ExpressibleByArgument {}
extension Injection: ExpressibleByArgument {}
extension TrainingConfiguration.Schedule: ExpressibleByArgument {}
extension TrainingConfiguration.ValidationMetric: ExpressibleByArgument {}
extension TrainingConfiguration.BatchUnit: ExpressibleByArgument {}
extension LengthLimit.Rule: ExpressibleByArgument {}
extension ScheduledSampling.Curve: ExpressibleByArgument {}
extension ScheduledSampling.Coin: ExpressibleByArgument {}
extension ScheduledSampling.Choice: ExpressibleByArgument {}
extension Arithmetic: ExpressibleByArgument {}
extension StoredType: ExpressibleByArgument {
  /// The number format of that name.
  public init?(argument: String) {
    switch argument {
    case "float16": self = .float16
    case "float32": self = .float32
    case "bfloat16": self = .bfloat16
    default: return nil
    }
  }
}

/// The optimisers by name.
enum OptimizerName: String, ExpressibleByArgument, CaseIterable {
  case sgd, adagrad, rmsprop, adam, adamw

  func rule(momentum: Double, _ nesterov: Bool) -> OptimizerRule {
    switch self {
    case .sgd: .sgd(momentum: momentum, nesterov: nesterov)
    case .adagrad: .adagrad()
    case .rmsprop: .rmsprop()
    case .adam: .adam()
    case .adamw: .adamw()
    }
  }
}
