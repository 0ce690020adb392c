internal import HTTPTypes
internal import Hummingbird
internal import Reporting

extension CaptionService {
  private typealias Handler = @Sendable (Request, ServiceContext) async throws -> Response

  /// All paths and what answers there.
  static func router(
    _ options: ServiceOptions, _ engine: CaptionEngine, _ metrics: ServiceMetrics
  ) throws -> Router<ServiceContext> {
    let captions = CaptionRoutes(engine: engine, bodies: BodyReader(options), options: options)
    let ollama = OllamaRoutes(captions: captions)
    let openAI = OpenAIRoutes(captions: captions)
    let huggingFace = HuggingFaceRoutes(captions: captions)
    let page = ServicePage(model: engine.model.name).html
    let document = try OpenAPI.document(options)
    let routes: [(HTTPRequest.Method, String, Handler)] = [
      (.get, "/", { _, _ in Self.page(page) }),
      (.get, "/healthz", { _, _ in Response(text: "ok\n", type: "text/plain; charset=utf-8") }),
      (.get, "/readyz", { _, _ in Response(text: "ok\n", type: "text/plain; charset=utf-8") }),
      (
        .get, "/metrics",
        { _, _ in
          Response(text: metrics.exporter.text, type: "text/plain; version=0.0.4; charset=utf-8")
        }
      ),
      (.get, "/openapi.json", { _, _ in Response(text: document, type: "application/json") }),
      (.post, "/v1/captions", captions.captions),
      (.post, "/v1/scores", captions.scores),
      (.get, "/v1/models", openAI.models),
      (.get, "/v1/models/{name}", openAI.model),
      (.post, "/v1/chat/completions", openAI.chat),
      (.post, "/v1/responses", openAI.responses),
      (.get, "/api/version", ollama.version),
      (.get, "/api/tags", ollama.tags),
      (.get, "/api/ps", ollama.tags),
      (.post, "/api/show", ollama.show),
      (.post, "/api/generate", ollama.generate),
      (.post, "/api/chat", ollama.chat),
      (.post, "/", huggingFace.caption),
      (.post, "/models/**", huggingFace.caption),
    ]
    var methods: [String: Set<String>] = [:]
    for (method, path, _) in routes {
      methods[path, default: []].insert(method.rawValue)
      if method == .get { methods[path]?.insert("HEAD") }
    }
    let router = Router(context: ServiceContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(middleware: RequestObserver(metrics: metrics, logsAccess: options.logsAccess))
    router.add(middleware: ProblemResponder(methods: methods))
    router.add(middleware: Gatekeeper(token: options.token))
    for (method, path, handler) in routes { router.on(RouterPath(path), method: method, use: handler) }
    return router
  }

  private static func page(_ html: String) -> Response {
    var response = Response(text: html, type: "text/html; charset=utf-8")
    for (name, value) in [
      ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
    ] {
      if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
    return response
  }
}
