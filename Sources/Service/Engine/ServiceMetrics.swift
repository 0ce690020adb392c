internal import CoreMetrics
internal import Imaging

/// What the service counts and times.
struct ServiceMetrics: Sendable {
  let exporter = PrometheusMetrics()
  /// Photos that are on their way.
  let waiting: Gauge
  /// Photos of a batch.
  let batches: Recorder
  /// A photo's decoding; a batch's way through the network, and its search.
  let decoding, network, search: Timer
  private let answered, unreadable, abandoned, failed, reloaded, notReloaded: Counter

  init() {
    let exporter = exporter
    func photos(_ result: String) -> Counter {
      Counter(label: "captioner_photos_total", dimensions: [("result", result)], factory: exporter)
    }
    func reloads(_ result: String) -> Counter {
      Counter(label: "captioner_model_reloads_total", dimensions: [("result", result)], factory: exporter)
    }
    func timer(_ name: String) -> Timer { Timer(label: "captioner_\(name)_seconds", factory: exporter) }
    waiting = Gauge(label: "captioner_photos_waiting", factory: exporter)
    waiting.record(0)
    batches = Recorder(label: "captioner_batch_photos", factory: exporter)
    decoding = timer("photo_decoding")
    network = timer("batch_network")
    search = timer("batch_search")
    answered = photos("answered")
    unreadable = photos("unreadable")
    abandoned = photos("abandoned")
    failed = photos("failed")
    reloaded = reloads("loaded")
    notReloaded = reloads("failed")
  }

  /// Counts a photo by what became of it.
  func count(_ result: Result<Result<PhotoAnswer, ImageError>, any Error>) {
    switch result {
    case .success(.success): answered.increment()
    case .success(.failure): unreadable.increment()
    case .failure(is CancellationError): abandoned.increment()
    case .failure: failed.increment()
    }
  }

  /// Counts an attempt to load the model again.
  func countReload(succeeded: Bool) { (succeeded ? reloaded : notReloaded).increment() }

  /// Counts and times a request.
  /// - Parameters:
  ///   - route: one of the service's.
  ///   - method: of those that routes have.
  func count(route: String, method: String, status: Int, duration: Duration) {
    let labels = [("route", route), ("method", method)]
    Counter(
      label: "captioner_http_requests_total", dimensions: labels + [("status", "\(status)")],
      factory: exporter
    ).increment()
    Timer(label: "captioner_http_request_seconds", dimensions: labels, factory: exporter).record(duration)
  }
}

extension Timer {
  func record(_ duration: Duration) { recordSeconds(duration / .seconds(1)) }
}
