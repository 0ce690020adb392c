import CoreMetrics
import Testing

@testable import Service

@Suite struct PrometheusMetricsTests {
  @Test func textFormat() {
    let metrics = PrometheusMetrics()
    Counter(label: "requests_total", dimensions: [("route", "/a\"\\\n")], factory: metrics).increment(by: 2)
    Counter(label: "requests_total", dimensions: [("route", "/a\"\\\n")], factory: metrics).increment()
    Gauge(label: "waiting", factory: metrics).record(4)
    let timer = CoreMetrics.Timer(label: "seconds", factory: metrics)
    timer.recordMilliseconds(3)
    timer.recordSeconds(100)
    let recorder = Recorder(label: "photos", factory: metrics)
    recorder.record(8)
    let lines = metrics.text.split(separator: "\n").map(String.init)
    #expect(lines.contains(#"requests_total{route="/a\"\\\n"} 3"#))
    #expect(lines.count { $0 == "# TYPE requests_total counter" } == 1)
    #expect(lines.contains("waiting 4.0") && lines.contains("# TYPE waiting gauge"))
    #expect(
      lines.contains(#"seconds_bucket{le="0.0025"} 0"#) && lines.contains(#"seconds_bucket{le="0.005"} 1"#))
    #expect(
      lines.contains(#"seconds_bucket{le="60.0"} 1"#) && lines.contains(#"seconds_bucket{le="+Inf"} 2"#))
    #expect(lines.contains("seconds_sum 100.003") && lines.contains("seconds_count 2"))
    #expect(lines.contains(#"photos_bucket{le="4.0"} 0"#) && lines.contains(#"photos_bucket{le="8.0"} 1"#))
  }
}
