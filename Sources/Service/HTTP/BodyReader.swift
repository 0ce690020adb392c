internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTPTypes
internal import Requests
internal import Support
internal import Synchronization

/// Reads requests' bodies: each up to a size and within a time, all together up to a size.
final class BodyReader: Sendable {
  private let options: ServiceOptions
  private let held = Mutex(0)

  init(_ options: ServiceOptions) { self.options = options }

  /// Calls `use` with a request's body, which counts as held until it ends.
  /// - Throws: `Problem` for a body that is too large, too slow, or has no room; what `use` throws.
  func with<R: Sendable>(
    _ request: Request, _ channel: any Channel, _ use: ([UInt8]) async throws -> R
  ) async throws -> R {
    if let coding = request.headers[.contentEncoding], !["", "identity"].contains(coding.lowercased()) {
      throw Problem(
        .unsupportedMediaType,
        "Content-Encoding: expected none, found \"\(coding.shortened(to: 60))\"", closes: true)
    }
    let limit = options.maximumBody
    let length = request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > limit { throw tooLarge("\(length)") }
    // A body that does not say its length may be as large as any.
    let size = length ?? (request.headers[.transferEncoding] == nil ? 0 : limit)
    let isFree = held.withLock { held in
      let isFree = held + size <= options.bodyMemory
      if isFree { held += size }
      return isFree
    }
    guard isFree else {
      throw Problem(
        .serviceUnavailable,
        "as many bytes of requests as there is room for are on their way: try again in a moment",
        closes: true)
    }
    defer { held.withLock { $0 -= size } }
    if size == 0 { return try await use([]) }
    if request.headers[.expect]?.lowercased() == "100-continue" {
      let proceed = HTTPResponsePart.head(HTTPResponse(status: .continue))
      try await channel.writeAndFlush(proceed)
    }
    let body = try await withTimeout(
      options.timeout,
      Problem(
        .requestTimeout, "expected the body within \(options.timeout / .seconds(1)) s, found a part of it",
        closes: true)
    ) { [tooLarge = tooLarge("more")] in
      var body: [UInt8] = []
      body.reserveCapacity(length ?? 0)
      for try await part in request.body {
        guard body.count + part.readableBytes <= limit else { throw tooLarge }
        body.append(contentsOf: part.readableBytesView)
      }
      return body
    }
    if let length, body.count < length { throw Problem(.badRequest, "the body: cut short", closes: true) }
    return try await use(body)
  }

  private func tooLarge(_ found: String) -> Problem {
    Problem(
      .contentTooLarge, "the body: expected at most \(options.maximumBody) bytes, found \(found)",
      closes: true)
  }
}
