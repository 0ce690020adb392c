internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Requests
internal import Support

/// Counts, times and tells every request.
struct RequestObserver: RouterMiddleware {
  let metrics: ServiceMetrics
  let logsAccess: Bool

  private struct Entry: Encodable {
    let time, remote, method, path: String
    let status, bytes: Int
    let milliseconds: Double
    let userAgent: String?
  }

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    let response = try await next(request, context)
    let duration = ContinuousClock.now - start
    let isKnown = context.endpointPath.map { $0 != "NotFound" } ?? false
    metrics.count(
      route: isKnown ? context.endpointPath ?? "" : "other",
      method: isKnown ? request.method.rawValue : "other",
      status: response.status.code, duration: duration)
    if logsAccess {
      let entry = Entry(
        time: Date.now.formatted(.iso8601), remote: context.channel.remoteAddress?.ipAddress ?? "",
        method: request.method.rawValue.shortened(to: 20), path: request.uri.path.shortened(to: 200),
        status: response.status.code, bytes: response.body.contentLength ?? 0,
        milliseconds: (duration / .milliseconds(1) * 10).rounded() / 10,
        userAgent: request.headers[.userAgent]?.shortened(to: 200))
      if let line = try? canonicalJSON(entry, .snakeCase) { writeToStandardError(line.printableJSON + "\n") }
    }
    return response
  }
}

/// Turns what goes wrong into answers.
struct ProblemResponder: RouterMiddleware {
  /// The methods of each path, which may have parts that stand for any (`{name}`), or for any number (`**`).
  let methods: [String: Set<String>]

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    let problem: Problem
    do {
      return try await next(request, context)
    } catch let error as Problem {
      problem = error
    } catch let error as HTTPError where error.status == .notFound {
      problem = missing(request)
    } catch is CancellationError {
      problem = Problem(.serviceUnavailable, "the service ends", closes: true)
    } catch {
      context.logger.error("a request failed", metadata: ["error": "\(error)"])
      problem = .failed("something went wrong that is not the request's fault")
    }
    let dialect = Dialect(path: request.uri.path)
    var response = try Response(
      dialect.error(problem), status: problem.responseStatus, type: dialect.errorType)
    switch problem.status {
    case .serviceUnavailable: response.headers[.retryAfter] = "1"
    case .unauthorized: response.headers[.wwwAuthenticate] = "Bearer"
    case .methodNotAllowed:
      response.headers[.allow] = (methods(of: request.uri.path) ?? []).sorted().joined(separator: ", ")
    case .unsupportedMediaType where request.headers[.contentEncoding] != nil:
      response.headers[.acceptEncoding] = "identity"
    default: break
    }
    if problem.closes {
      response.headers[.connection] = "close"
      // What still comes is not waited for; the answer has a second to be read.
      context.channel.eventLoop.scheduleTask(in: .seconds(1)) { [channel = context.channel] in
        channel.close(promise: nil)
      }
    }
    return response
  }

  /// The methods of a request's path; nil where there is none of that name.
  private func methods(of path: String) -> Set<String>? {
    if let methods = methods[path] { return methods }
    let parts = path.split(separator: "/")
    return methods.first { pattern, _ in
      let pattern = pattern.split(separator: "/")
      guard pattern.count == parts.count || pattern.last == "**" && pattern.count < parts.count else {
        return false
      }
      return zip(pattern, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $0 == "**" }
    }?.value
  }

  private func missing(_ request: Request) -> Problem {
    let path = request.uri.path
    guard let methods = methods(of: path) else {
      return Problem(.notFound, "\(path.shortened(to: 200)): there is nothing of that name")
    }
    return Problem(
      .methodNotAllowed,
      "\(path): expected \(methods.sorted().joined(separator: " or ")), found \(request.method.rawValue.shortened(to: 20))"
    )
  }
}

/// Lets those in who know the token, and keeps other sites' pages out.
struct Gatekeeper: RouterMiddleware {
  let token: String?
  /// What everybody may have: it holds nothing of the model's, and costs nothing.
  static let open: Set<String> = ["/healthz", "/readyz", "/openapi.json"]

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    // A browser says where a page is from that asks for something.
    if let origin = request.headers[.origin], origin != "null" {
      let host = origin.split(separator: "/").last.map(String.init)
      guard host == request.head.authority else {
        throw Problem(
          .forbidden, "Origin: expected this service's own page, found \(origin.shortened(to: 100))",
          closes: true)
      }
    }
    let isPage = request.uri.path == "/" && (request.method == .get || request.method == .head)
    if let token, !isPage, !Self.open.contains(request.uri.path) {
      let given = request.headers[.authorization].map(Self.credentials) ?? ""
      guard Self.isEqual(given, token) else {
        throw Problem(.unauthorized, "Authorization: expected Bearer and the service's token", closes: true)
      }
    }
    return try await next(request, context)
  }

  private static func credentials(_ header: String) -> String {
    let parts = header.split(separator: " ", maxSplits: 1)
    return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : ""
  }

  /// Whether texts are equal, in a time that hangs on the given one's length alone.
  static func isEqual(_ given: String, _ expected: String) -> Bool {
    let (given, expected) = (Array(given.utf8), Array(expected.utf8))
    var difference = given.count == expected.count ? UInt8(0) : 1
    for (place, byte) in given.enumerated() { difference |= byte ^ expected[place % max(1, expected.count)] }
    return difference == 0 && !expected.isEmpty
  }
}
