package import Imaging

/// Why a request is not answered: a status and a line for people.
package struct Problem: Error, Equatable {
  /// What kind it is of, by HTTP's number (RFC 9110).
  package enum Status: Int, Sendable {
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case contentTooLarge = 413
    case unsupportedMediaType = 415
    case unprocessableContent = 422
    case internalServerError = 500
    case serviceUnavailable = 503
    case gatewayTimeout = 504
  }

  package let status: Status
  package let detail: String
  /// Whether the rest of the request is left unread, so that the connection must end.
  package let closes: Bool

  package init(_ status: Status, _ detail: String, closes: Bool = false) {
    self.status = status
    self.detail = detail
    self.closes = closes
  }

  /// What a request says makes no sense.
  package static func bad(_ detail: String) -> Problem { Problem(.badRequest, detail) }

  /// There is no room for more photos now.
  package static let full = Problem(
    .serviceUnavailable, "as many photos as the queue holds are on their way: try again in a moment")

  package static func timedOut(_ limit: Duration) -> Problem {
    Problem(.gatewayTimeout, "expected an answer within \(limit / .seconds(1)) s, found none")
  }

  /// Something that no request may bring about.
  package static func failed(_ detail: String) -> Problem { Problem(.internalServerError, detail) }

  /// An image that can't be read.
  package init(_ error: ImageError) {
    let status: Status =
      switch error {
      case .unrecognised, .unsupported, .notBuiltIn: .unsupportedMediaType
      case .tooLarge: .contentTooLarge
      case .empty, .cutShort, .corrupt: .unprocessableContent
      case .unreadable: .internalServerError
      }
    self.init(status, error.description)
  }
}
