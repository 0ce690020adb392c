import Decoding
import Foundation
import Imaging
import Kernels
import Models
import TestSupport
import Testing

@testable import Service

/// A service with the tiny model on a port of its own, and a client that sends it any bytes.
struct TestService: Sendable {
  let service: CaptionService
  let port: Int
  /// The model's file, which may be overwritten.
  let model: String

  static let photos = ["decode/jpeg-444.jpg", "decode/png-rgb.png", "decode/png-palette.png"].map {
    [UInt8](FileManager.default.contents(atPath: photo($0)) ?? Data())
  }
  static let base64 = photos.map { Data($0).base64EncodedString() }

  /// Calls `body` with a running service, which then ends.
  static func with(
    _ change: (inout ServiceOptions) -> Void = { _ in }, _ body: (TestService) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("service-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let model = folder + "/model.safetensors"
    try TinyNetwork.writeModel(to: model)
    var options = ServiceOptions(model: model)
    options.port = 0
    options.logsAccess = false
    options.batchDelay = .zero
    change(&options)
    let service = try CaptionService(options)
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let running = Task {
      defer { continuation.finish() }
      try await service.run { continuation.yield($0) }
    }
    for await port in ports {
      do { try await body(TestService(service: service, port: port, model: model)) } catch {
        await service.shutDown()
        throw error
      }
      await service.shutDown()
      break
    }
    try await running.value
  }

  typealias Reply = HTTPReply

  /// What the model itself says of a photo.
  func expected(_ photo: [UInt8], _ strategy: DecodingStrategy) throws -> [String] {
    let model = try CaptionModel(contentsOf: model, caching: .streamed, on: .cpu)
    let image = try ImageReader().fitted(decoding: photo, name: "", to: model.description.preprocessing).image
    let maps = try model.maps(ImageLoader(model.description.preprocessing).input([image]))
    return model.captions(maps, strategy)[0].map(\.text)
  }

  func get(_ path: String, headers: [String: String] = [:]) async throws -> Reply {
    try await send("GET", path, [], headers: headers)
  }

  func post(_ path: String, json: String, headers: [String: String] = [:]) async throws -> Reply {
    try await send(
      "POST", path, Array(json.utf8), headers: ["Content-Type": "application/json"].merging(headers) { $1 })
  }

  func post(
    _ path: String, _ body: [UInt8], type: String = "image/jpeg", headers: [String: String] = [:]
  ) async throws -> Reply {
    try await send("POST", path, body, headers: ["Content-Type": type].merging(headers) { $1 })
  }

  /// A request with a body of a known length.
  func send(
    _ method: String, _ path: String, _ body: [UInt8], headers: [String: String] = [:]
  ) async throws -> Reply {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if method == "POST" { head += "Content-Length: \(body.count)\r\n" }
    return try await send([Array((head + "\r\n").utf8) + body])
  }

  /// Sends pieces, a moment between them, and reads what comes until the connection ends.
  func send(_ pieces: [[UInt8]], pause: Duration = .milliseconds(20)) async throws -> Reply {
    let port = port
    // Not on the threads that the service answers on.
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try HTTPReply(from: port, sending: pieces, pause: pause) })
      }
    }
  }
}

extension HTTPReply {
  /// The captions of the results of the service's own interface.
  func captions() throws -> [[String]] {
    try #require(try json()["results"] as? [[String: Any]], "\(text)").map {
      ($0["captions"] as? [[String: Any]] ?? []).compactMap { $0["caption"] as? String }
    }
  }

  /// What is wrong, in the service's own words.
  var detail: String { (try? json()["detail"] as? String) ?? "" }
}
