internal import Foundation

/// What a server on this machine answers to bytes that need be no HTTP.
public struct HTTPReply: Sendable {
  /// Its status, such as 200.
  public let status: Int
  /// Names in lower case.
  public let headers: [String: String]
  /// What follows the headers, whole.
  public let body: [UInt8]

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The body, a JSON object.
  public func json() throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
      throw CocoaError(.fileReadCorruptFile)
    }
    return object
  }

  /// Sends pieces, a moment between them, and reads what comes until the connection ends.
  public init(from port: Int, sending pieces: [[UInt8]], pause: Duration = .milliseconds(20)) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    for (number, piece) in pieces.enumerated() {
      if number > 0 { usleep(UInt32(pause / .microseconds(1))) }
      var rest = piece[...]
      while !rest.isEmpty {
        let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // A server that has heard enough answers, and reads no more.
        if sent <= 0 { break }
        rest = rest.dropFirst(sent)
      }
    }
    var all: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = recv(descriptor, &block, block.count, 0)
      if got <= 0 { break }
      all += block[..<got]
    }
    self = try Self.reply(all[...])
  }

  private init(_ status: Int, _ headers: [String: String], _ body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  private static func reply(_ bytes: ArraySlice<UInt8>) throws -> HTTPReply {
    guard let blank = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
      throw CocoaError(.fileReadCorruptFile)
    }
    let lines = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self).split(separator: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count > 1, let status = Int(words[1]) else { throw CocoaError(.fileReadCorruptFile) }
    // The answer comes after `100 Continue`.
    if status == 100 { return try reply(bytes[blank.upperBound...]) }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let sides = line.split(separator: ":", maxSplits: 1)
      headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces)
    }
    let rest = bytes[blank.upperBound...]
    return HTTPReply(status, headers, headers["transfer-encoding"] == "chunked" ? chunks(rest) : Array(rest))
  }

  private static func chunks(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var (rest, all): (ArraySlice<UInt8>, [UInt8]) = (bytes, [])
    while let end = rest.firstRange(of: [13, 10]),
      let count = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16), count > 0
    {
      all += rest[end.upperBound...].prefix(count)
      rest = rest[end.upperBound...].dropFirst(count + 2)
    }
    return all
  }
}
