internal import Hummingbird
internal import NIOCore
internal import Requests

/// What a request comes with beside itself.
struct ServiceContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The connection.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

extension Response {
  /// JSON.
  init(_ json: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json") throws {
    self.init(text: try json.text, type: type, status: status)
  }

  /// Text of some kind, whole.
  init(text: String, type: String, status: HTTPResponse.Status = .ok) {
    self.init(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  /// Texts that are sent one by one.
  init(stream texts: [String], type: String) {
    self.init(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
      body: ResponseBody { writer in
        for text in texts { try await writer.write(ByteBuffer(string: text)) }
        try await writer.finish(nil)
      })
  }
}
