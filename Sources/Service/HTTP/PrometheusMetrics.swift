internal import CoreMetrics
internal import Foundation
internal import Synchronization

/// Metrics as Prometheus reads them (text format 0.0.4): counters, gauges, and histograms of what is recorded or timed.
///
/// Labels are the service's own; nothing that a client sends becomes one, so that there are few.
final class PrometheusMetrics: MetricsFactory {
  private struct Series {
    let name: String
    let labels: String
    let values: any PrometheusSeries
  }

  private let series = Mutex<[String: Series]>([:])

  /// The upper ends of a histogram's buckets: of seconds for what is timed, of numbers for what is recorded.
  static let secondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
  static let numberBuckets: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256]

  /// All of it as text.
  var text: String {
    let series = series.withLock { $0.values.sorted { ($0.name, $0.labels) < ($1.name, $1.labels) } }
    var text = ""
    var last = ""
    for one in series {
      if one.name != last { text += "# TYPE \(one.name) \(one.values.kind)\n" }
      last = one.name
      text += one.values.lines(one.name, one.labels)
    }
    return text
  }

  private func handler<Values: PrometheusSeries>(
    _ label: String, _ dimensions: [(String, String)], _ new: @autoclosure () -> Values
  ) -> Values {
    let labels = dimensions.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    return series.withLock { series in
      if let known = series[label + "{" + labels]?.values as? Values { return known }
      let values = new()
      series[label + "{" + labels] = Series(name: label, labels: labels, values: values)
      return values
    }
  }

  private static func escaped(_ value: String) -> String {
    value.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
      .replacingOccurrences(of: "\n", with: "\\n")
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    handler(label, dimensions, PrometheusCounter())
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    aggregate
      ? handler(label, dimensions, PrometheusHistogram(Self.numberBuckets))
      : handler(label, dimensions, PrometheusGauge())
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    handler(label, dimensions, PrometheusHistogram(Self.secondBuckets))
  }

  // What was counted stays, as Prometheus expects.
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}

/// The values of a metric with certain labels.
private protocol PrometheusSeries: Sendable {
  var kind: String { get }
  func lines(_ name: String, _ labels: String) -> String
}

/// A name with labels, as a line begins.
private func start(_ name: String, _ labels: String) -> String {
  labels.isEmpty ? name : "\(name){\(labels)}"
}

private final class PrometheusCounter: CounterHandler, PrometheusSeries {
  private let value = Atomic<Int64>(0)
  let kind = "counter"
  func increment(by amount: Int64) { value.add(amount, ordering: .relaxed) }
  func reset() { value.store(0, ordering: .relaxed) }
  func lines(_ name: String, _ labels: String) -> String {
    "\(start(name, labels)) \(value.load(ordering: .relaxed))\n"
  }
}

private final class PrometheusGauge: RecorderHandler, PrometheusSeries {
  private let value = Mutex(0.0)
  let kind = "gauge"
  func record(_ value: Int64) { record(Double(value)) }
  func record(_ value: Double) { self.value.withLock { $0 = value } }
  func lines(_ name: String, _ labels: String) -> String {
    "\(start(name, labels)) \(value.withLock { $0 })\n"
  }
}

private final class PrometheusHistogram: RecorderHandler, TimerHandler, PrometheusSeries {
  private struct State {
    var counts: [Int]
    var sum = 0.0
  }

  private let ends: [Double]
  private let state: Mutex<State>
  let kind = "histogram"

  init(_ ends: [Double]) {
    self.ends = ends
    state = Mutex(State(counts: [Int](repeating: 0, count: ends.count + 1)))
  }

  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
  func record(_ value: Double) {
    let bucket = ends.firstIndex { value <= $0 } ?? ends.count
    state.withLock {
      $0.counts[bucket] += 1
      $0.sum += value
    }
  }

  func lines(_ name: String, _ labels: String) -> String {
    let state = state.withLock { $0 }
    let before = labels.isEmpty ? "" : labels + ","
    var (lines, total) = ("", 0)
    for (count, end) in zip(state.counts, ends.map { "\($0)" } + ["+Inf"]) {
      total += count
      lines += "\(name)_bucket{\(before)le=\"\(end)\"} \(total)\n"
    }
    return lines
      + "\(start(name + "_sum", labels)) \(state.sum)\n\(start(name + "_count", labels)) \(total)\n"
  }
}
