internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Support

/// A captioning service over HTTP: one process, one model, requests answered in batches.
///
/// ```swift
/// let service = try CaptionService(ServiceOptions(model: "captioner.safetensors"))
/// try await service.run { port in print("listening on port \(port)") }
/// ```
public final class CaptionService: Sendable {
  private let options: ServiceOptions
  private let engine: CaptionEngine
  private let metrics = ServiceMetrics()
  private let group: ServiceGroup
  private let running: Ticket<Int>

  /// Loads the model and prepares to listen.
  /// - Throws: `ModelError`; `ServiceError`.
  public init(_ options: ServiceOptions) throws {
    self.options = options
    engine = try CaptionEngine(options, metrics)
    let (router, running) = (try Self.router(options, engine, metrics), Ticket<Int>())
    self.running = running
    var configuration = ApplicationConfiguration(address: .hostname(options.host, port: options.port))
    configuration.serverName = "captioner"
    let logger = Logger(label: "captioner") { _ in StandardErrorLog() }
    configuration.availableConnectionsDelegate = MaximumAvailableConnections(options.maximumConnections)
    // A connection that is silent for so long is closed, also in the middle of a request; a bit later than requests are
    // answered that take too long.
    let channel = HTTP1Channel.Configuration(
      idleTimeout: .milliseconds(Int64(options.timeout / .milliseconds(1)) + 2000),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: 80_000, maxHeaderListSize: 80_000, maxHeaderFieldCount: 100))
    let application = Application(
      router: router, server: .http1(configuration: channel), configuration: configuration,
      onServerRunning: { channel in running.settle(.success(channel.localAddress?.port ?? 0)) },
      logger: logger)
    group = ServiceGroup(configuration: .init(services: [application], logger: logger))
  }

  deinit { engine.stop() }

  /// Listens until `shutDown`; what was accepted is answered first.
  /// - Parameter started: told the port once it listens.
  /// - Throws: `ServiceError` when the address can't be had.
  public func run(started: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
    defer { engine.stop() }
    let telling = Task { [running] in if let port = try? await running.value() { started(port) } }
    defer { telling.cancel() }
    do {
      try await group.run()
    } catch let error as IOError {
      let reason = String(cString: strerror(error.errnoCode))
      throw ServiceError(description: "\(options.host):\(options.port): can't listen: \(reason)")
    }
  }

  /// Ends `run`: no connection is accepted any more, and those that are idle are closed.
  public func shutDown() async { await group.triggerGracefulShutdown() }

  /// Loads the model's file again, for questions that come from now on. A bad file changes nothing.
  /// - Throws: `ModelError`.
  public func reload() throws {
    do {
      try engine.reload()
      metrics.countReload(succeeded: true)
    } catch {
      metrics.countReload(succeeded: false)
      throw error
    }
  }
}

/// What the server has to say, as JSON on standard error.
private struct StandardErrorLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.warning

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let entry = ["level": event.level.rawValue, "message": "\(event.message)"]
      .merging(all.map { ($0.key, "\($0.value)") }) { first, _ in first }
    if let line = try? canonicalJSON(entry) { writeToStandardError(line.printableJSON + "\n") }
  }
}
