internal import HTTPTypes
internal import Imaging

/// Why a request is not answered: a status and a line for people.
struct Problem: Error, Equatable {
  let status: HTTPResponse.Status
  let detail: String
  /// Whether the rest of the request is left unread, so that the connection must end.
  var closes = false

  init(_ status: HTTPResponse.Status, _ detail: String, closes: Bool = false) {
    self.status = status
    self.detail = detail
    self.closes = closes
  }

  /// What a request says makes no sense.
  static func bad(_ detail: String) -> Problem { Problem(.badRequest, detail) }

  /// There is no room for more photos now.
  static let full = Problem(
    .serviceUnavailable, "as many photos as the queue holds are on their way: try again in a moment")

  static func timedOut(_ limit: Duration) -> Problem {
    Problem(.gatewayTimeout, "expected an answer within \(limit / .seconds(1)) s, found none")
  }

  /// Something that no request may bring about.
  static func failed(_ detail: String) -> Problem { Problem(.internalServerError, detail) }

  /// An image that can't be read.
  init(_ error: ImageError) {
    let status: HTTPResponse.Status =
      switch error {
      case .unrecognised, .unsupported, .notBuiltIn: .unsupportedMediaType
      case .tooLarge: .contentTooLarge
      case .empty, .cutShort, .corrupt: .unprocessableContent
      case .unreadable: .internalServerError
      }
    self.init(status, error.description)
  }
}

/// How clients expect errors, and what else depends on whose interface a path is of.
enum Dialect {
  /// This service's own: RFC 9457.
  case own
  case ollama, openAI, huggingFace

  /// - Parameter path: a request's.
  init(path: String) {
    if path.hasPrefix("/api/") {
      self = .ollama
    } else if ["/v1/chat/", "/v1/responses", "/v1/models"].contains(where: path.hasPrefix) {
      self = .openAI
    } else if path.hasPrefix("/models/") || path == "/" {
      self = .huggingFace
    } else {
      self = .own
    }
  }

  /// The type of the content of errors.
  var errorType: String { self == .own ? "application/problem+json" : "application/json" }

  /// A problem as clients expect it.
  func error(_ problem: Problem) -> JSON {
    switch self {
    case .own:
      [
        "type": "about:blank", "title": .string(problem.status.reasonPhrase),
        "status": .integer(problem.status.code), "detail": .string(problem.detail),
      ]
    case .ollama, .huggingFace: ["error": .string(problem.detail)]
    case .openAI:
      [
        "error": [
          "message": .string(problem.detail), "param": .null, "code": .null,
          "type": problem.status.code < 500 ? "invalid_request_error" : "server_error",
        ]
      ]
    }
  }
}
