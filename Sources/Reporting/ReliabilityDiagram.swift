internal import Evaluation

/// Told confidence against what came true, over a histogram of the confidences.
enum ReliabilityDiagram {
  static func figure(_ trust: Trust) -> String {
    let (reliability, count) = (trust.reliability, Double(max(1, trust.confidences.count)))
    let error = HTML.number(reliability.expectedCalibrationError, 3)
    var chart = Chart(
      "Can the confidence be trusted?",
      summary: "Reliability diagram: expected calibration error \(error), area under the ROC curve "
        + HTML.number(reliability.auc, 3), x: 0...1, y: 0...1)
    for (index, bin) in reliability.bins.enumerated() where bin.count > 0 {
      let from = Double(index) / 10
      chart.bar(
        from...from + 0.1, to: Double(bin.count) / count, style: "faint",
        label:
          "\(bin.count) captions with a confidence of \(HTML.number(from, 1)) to \(HTML.number(from + 0.1, 1))"
      )
    }
    chart.line([(0, 0), (1, 1)], style: "ideal")
    let filled = reliability.bins.filter { $0.count > 0 }
    chart.line(filled.map { ($0.predicted, $0.observed) }, style: "curve")
    for bin in filled {
      chart.dot(
        (bin.predicted, bin.observed), radius: 2.5 + 6 * (Double(bin.count) / count).squareRoot(),
        style: "dot",
        label:
          "told \(HTML.number(bin.predicted, 2)), true \(HTML.number(bin.observed, 2)), \(bin.count) captions"
      )
    }
    let ticks = stride(from: 0.0, through: 1, by: 0.2).map { ($0, HTML.number($0, 1)) }
    return chart.figure(
      xTicks: ticks, yTicks: ticks, xLabel: "confidence told",
      legend: "<span class=\"key dot\"></span>share with CIDEr ≥ \(HTML.number(trust.threshold * 100, 0)) "
        + "<span class=\"key faint\"></span>share of captions · calibration error \(error), AUC "
        + "\(HTML.number(reliability.auc, 3)), "
        + (trust.isModels ? "the model's own" : "fitted here, cross-validated"))
  }
}
