internal import Foundation

/// One quantity over the steps of a run.
struct Series {
  /// A step and the value there.
  struct Point: Equatable {
    let step, value: Double
  }

  /// Its name in the legend.
  let name: String
  /// The style sheet's class of its line.
  let style: String
  /// Whether it counts for the legend and the pointer; else it is only drawn.
  var isRead = true
  /// Whether single points show: there are few, and they are measured there only.
  var isDotted = false
  /// Where it was measured, numbers that are none left out.
  let points: [Point]

  init(
    _ name: String, style: String, _ points: [Point], isRead: Bool = true, isDotted: Bool = false
  ) {
    self.name = name
    self.style = style
    self.isRead = isRead
    self.isDotted = isDotted
    // Beyond these even an axis has no room for the number.
    self.points = points.filter { $0.step.isFinite && $0.value.isFinite && abs($0.value) < 1e12 }
  }

  /// At most about `limit` of the points: of each stretch the lowest and the highest, so that peaks stay.
  static func thinned(_ points: [Point], to limit: Int = 400) -> [Point] {
    guard points.count > limit, limit >= 4 else { return points }
    let stretches = (limit - 2) / 2
    var kept = [points[0]]
    for stretch in 0..<stretches {
      let range = stretch * points.count / stretches..<(stretch + 1) * points.count / stretches
      guard let low = range.min(by: { points[$0].value < points[$1].value }),
        let high = range.max(by: { points[$0].value < points[$1].value })
      else { continue }
      kept += Set([low, high]).sorted().map { points[$0] }
    }
    return kept + [points[points.count - 1]]
  }

  /// A moving average with the weights of an exponential, over about a twentieth of the points.
  static func smoothed(_ points: [Point]) -> [Point] {
    let decay = 1 - 2 / (max(5, Double(points.count) / 20) + 1)
    var (sum, weight) = (0.0, 0.0)
    return points.filter(\.value.isFinite).map { point in
      sum = decay * sum + point.value
      weight = decay * weight + 1
      return Point(step: point.step, value: sum / weight)
    }
  }
}
