internal import HTTPTypes
internal import Requests

extension Problem {
  /// As it stands in an answer.
  var responseStatus: HTTPResponse.Status {
    switch status {
    case .badRequest: .badRequest
    case .unauthorized: .unauthorized
    case .forbidden: .forbidden
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .requestTimeout: .requestTimeout
    case .contentTooLarge: .contentTooLarge
    case .unsupportedMediaType: .unsupportedMediaType
    case .unprocessableContent: .unprocessableContent
    case .internalServerError: .internalServerError
    case .serviceUnavailable: .serviceUnavailable
    case .gatewayTimeout: .gatewayTimeout
    }
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
        "type": "about:blank", "title": .string(problem.responseStatus.reasonPhrase),
        "status": .integer(problem.status.rawValue), "detail": .string(problem.detail),
      ]
    case .ollama, .huggingFace: ["error": .string(problem.detail)]
    case .openAI:
      [
        "error": [
          "message": .string(problem.detail), "param": .null, "code": .null,
          "type": problem.status.rawValue < 500 ? "invalid_request_error" : "server_error",
        ]
      ]
    }
  }
}
