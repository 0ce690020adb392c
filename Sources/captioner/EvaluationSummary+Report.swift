import Evaluation
import Foundation
import Reporting

extension EvaluationSummary {
  /// The HTML report.
  /// - Parameters:
  ///   - data: the caption file.
  ///   - model: the model file.
  ///   - ways: how captions were found.
  func report(_ evaluation: Evaluation, data: String, model: String, ways: String) -> Report {
    func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
    let references = evaluation.rows.reduce(0) { $0 + $1.references.count }
    return Report(
      title: "\(name(model)) on \(name(data))",
      subtitle: "\(scores.images) photos with \(references) references; \(ways).", evaluation: evaluation,
      trust: confidence.map {
        Report.Trust(
          threshold: $0.threshold, reliability: $0.reliability, confidences: $0.values,
          source: $0.isModels ? "the model's own" : "fitted here, cross-validated")
      },
      retrieval: retrieval,
      sweep: (sweep ?? []).map {
        ("beam \($0.options.beamWidth), length \($0.options.lengthNormalization.name)", $0)
      })
  }
}
