import ArgumentParser
import Dispatch
import Foundation
import Imaging
import Service
import Support
import Synchronization

/// `captioner serve`: captions over HTTP.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Captions photos over HTTP, for programs and in the browser.",
    discussion: """
      One process, one model; photos that come at the same time share the network's
      work. Open http://127.0.0.1:8080/ for a page that takes photos.

        POST /v1/captions   an image, multipart/form-data with several, or JSON
                            {"images": [base64]}; the options of `caption` as query
                            or fields: ?beam_width=5&captions=3&prefix=two%20dogs.
                            Results as `caption --format json` has them
        POST /v1/scores     an image and captions: their log-probs
        GET  /openapi.json  all of it, described (OpenAPI 3.1)
        GET  /healthz /readyz /metrics (Prometheus)

      Clients of other services work unchanged, if they send images: Ollama's
      (/api/generate, /api/chat), OpenAI's (/v1/chat/completions, /v1/responses) and
      Hugging Face's image-to-text task (/, /models/NAME). What they ask in words,
      and how they want it sampled, is not heeded: the answer is the caption. Images
      come in the request; none is fetched from elsewhere.

      With a token (--token-file, else $CAPTIONER_TOKEN) requests must bring it as
      Authorization: Bearer. SIGTERM and SIGINT answer what was accepted and end;
      SIGHUP loads the model's file again, and keeps the old one if it is bad.
      The access log goes to standard error, a JSON object a line.

      Examples:
        captioner serve
        captioner serve --port 9000 --model run/model.safetensors
        captioner serve --host 0.0.0.0 --token-file /etc/captioner/token
        curl --data-binary @photo.jpg -H "Content-Type: image/jpeg" \\
          "http://127.0.0.1:8080/v1/captions?captions=3"
        curl -F image=@a.jpg -F image=@b.jpg http://127.0.0.1:8080/v1/captions
      """)

  @Option(help: "The address to listen on; 0.0.0.0 is every address of the machine.") var host = "127.0.0.1"
  @Option(help: "Its port; 0 is any that is free.") var port = 8080
  @OptionGroup var model: ModelOption
  @Option(help: ArgumentHelp("File whose text is the token that requests must bring.", valueName: "file"))
  var tokenFile: String?
  @OptionGroup(title: "Batches and limits") var limits: ServiceLimits
  @Flag(help: "Tell nothing of requests.") var noAccessLog = false
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (0...65535).contains(port) else {
      throw ValidationError("--port: expected 0 to 65535, found \(port)")
    }
  }

  func run() throws {
    // Before any thread begins: each inherits that they are blocked.
    ServiceSignals.block()
    engine.apply()
    try reportingErrors {
      var options = ServiceOptions(model: try model.resolved())
      options.host = host
      options.port = port
      options.token = try Self.token(file: tokenFile)
      options.logsAccess = !noAccessLog
      options.arithmetic = encoding.arithmetic
      options.reader = photos.reader
      options.version = CaptionerCommand.configuration.version
      limits.apply(to: &options)
      if options.token == nil, !["127.0.0.1", "::1", "localhost"].contains(host) {
        Console.complain("\(host) without a token: whoever reaches it may use it (--token-file)")
      }
      let service = try CaptionService(options)
      guard ServiceSignals.watch(service) else { throw Failure(description: "the system gives no thread") }
      try Self.wait { [host] in
        try await service.run { port in
          Console.note("captioner: listening on http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
        }
      }
    }
  }

  /// The token in a file, else in the environment; never an argument, which everybody on the machine can read.
  static func token(file: String?) throws -> String? {
    let (text, place): (String?, String)
    if let file {
      let contents = try FileContents(path: file, limit: 4096)
      (text, place) = (
        withExtendedLifetime(contents) { String(decoding: contents.bytes, as: UTF8.self) }, file
      )
    } else {
      (text, place) = (ProcessInfo.processInfo.environment["CAPTIONER_TOKEN"], "CAPTIONER_TOKEN")
    }
    guard let token = text?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
    guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Failure(description: "\(place): expected a token of visible ASCII characters, found none")
    }
    return token
  }

  /// Runs what is asynchronous to its end, on other threads.
  private static func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
    let outcome = Outcome()
    Task {
      do { try await body() } catch { outcome.error.withLock { $0 = error } }
      outcome.isKnown.signal()
    }
    outcome.isKnown.wait()
    if let error = outcome.error.withLock({ $0 }) { throw error }
  }

  /// How that went.
  private final class Outcome: Sendable {
    let isKnown = DispatchSemaphore(value: 0)
    let error = Mutex<(any Error)?>(nil)
  }
}

/// `--batch-size` and the limits of `serve`.
struct ServiceLimits: ParsableArguments {
  @Option(help: ArgumentHelp("Photos that go through the network together, at most.", valueName: "n"))
  var batchSize = 8
  @Option(
    help: ArgumentHelp(
      "How long a photo waits for others to share its batch, unless they come one after the other.",
      valueName: "ms"))
  var batchDelay = 5
  @Option(help: ArgumentHelp("Photos on their way at once; more get 503.", valueName: "n")) var queue = 256
  @Option(help: ArgumentHelp("A request's body, at most; more gets 413.", valueName: "MiB")) var maxBody = 32
  @Option(help: ArgumentHelp("Photos of a request, at most.", valueName: "n")) var maxImages = 64
  @Option(
    help: ArgumentHelp(
      "How long a request's body (408), its answer (504) and a silent connection may take.", valueName: "s"))
  var timeout = 60
  @Option(help: ArgumentHelp("Connections at a time; others wait.", valueName: "n")) var maxConnections = 512

  func validate() throws {
    for (name, value, bounds) in [
      ("batch-size", batchSize, 1...256), ("batch-delay", batchDelay, 0...10_000),
      ("queue", queue, 1...100_000),
      ("max-body", maxBody, 1...1024), ("max-images", maxImages, 1...1000), ("timeout", timeout, 1...3600),
      ("max-connections", maxConnections, 1...100_000),
    ] where !bounds.contains(value) {
      throw ValidationError(
        "--\(name): expected \(bounds.lowerBound) to \(bounds.upperBound), found \(value)")
    }
  }

  func apply(to options: inout ServiceOptions) {
    options.batchSize = batchSize
    options.batchDelay = .milliseconds(batchDelay)
    options.queue = queue
    options.maximumBody = maxBody << 20
    options.maximumImages = maxImages
    options.timeout = .seconds(timeout)
    options.maximumConnections = maxConnections
  }
}
