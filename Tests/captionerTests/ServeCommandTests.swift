import Foundation
import TestSupport
import Testing

/// The service as a process: its options, its signals, what it says.
@Suite struct ServeCommandTests {
  /// Starts a service on a free port: its process, its port, and the file of what it says.
  private static func start(
    _ place: Workplace, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> (process: CaptionerProcess, port: Int, log: String) {
    let log = place.folder + "/log-\(UUID().uuidString)"
    let process = try CaptionerProcess(
      ["serve", "--port", "0", "--model", place.model] + arguments, in: place.folder,
      environment: environment,
      shell: "exec \"$@\" 2>'\(log)'")
    let line = try wait(log, "listening on http://127.0.0.1:", process)
    return (process, try #require(line.split(separator: ":").last.flatMap { Int($0) }), log)
  }

  /// Waits until a service says something; the line.
  @discardableResult
  private static func wait(_ log: String, _ text: String, _ process: CaptionerProcess) throws -> String {
    let deadline = ContinuousClock.now + CaptionerProcess.limit
    while ContinuousClock.now < deadline, process.isRunning {
      let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      if said.hasSuffix("\n"), let line = said.split(separator: "\n").first(where: { $0.contains(text) }) {
        return String(line)
      }
      usleep(5_000)
    }
    Issue.record(
      "expected \(text), found \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "nothing")")
    kill(process.identifier, SIGKILL)
    throw CancellationError()
  }

  /// Sends a photo; the answer.
  private static func send(_ port: Int, token: String? = nil) throws -> HTTPReply {
    let photo = [UInt8](try Data(contentsOf: URL(fileURLWithPath: photo("decode/jpeg-444.jpg"))))
    let access = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    let head =
      "POST /v1/captions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: image/jpeg\r\n\(access)"
      + "Content-Length: \(photo.count)\r\n\r\n"
    return try HTTPReply(from: port, sending: [Array(head.utf8) + photo])
  }

  /// SIGHUP loads the model again, SIGTERM and SIGINT end with status 0; each request is told.
  @Test(arguments: [SIGTERM, SIGINT])
  func signals(end: Int32) throws {
    try Workplace.with { place in
      let (process, port, log) = try Self.start(place)
      let before = try Self.send(port)
      #expect(before.status == 200)
      try TinyNetwork.writeModel(to: place.model + ".new", tensors: TinyNetwork.tensors(seed: 2))
      try #require(rename(place.model + ".new", place.model) == 0)
      kill(process.identifier, SIGHUP)
      try Self.wait(log, "the model was loaded again", process)
      #expect(try Self.send(port).text != before.text)
      try place.file("bad", "no model")
      try #require(rename(place.folder + "/bad", place.model) == 0)
      kill(process.identifier, SIGHUP)
      try Self.wait(log, "captioner: the model stays as it was: ", process)
      #expect(try Self.send(port).status == 200)
      kill(process.identifier, end)
      #expect(process.outcome().status == 0)
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").filter {
        $0.hasPrefix("{")
      }
      let entries = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
      #expect(entries.map { $0?["path"] as? String } == [String](repeating: "/v1/captions", count: 3))
      #expect(entries[0]?["status"] as? Int == 200 && entries[0]?["method"] as? String == "POST")
    }
  }

  @Test func tokens() throws {
    try Workplace.with { place in
      let file = try place.file("token", "from-a-file\n")
      for (arguments, token) in [(["--token-file", file], "from-a-file"), ([], "from-outside")] {
        let (process, port, log) = try Self.start(
          place, ["--no-access-log"] + arguments, environment: ["CAPTIONER_TOKEN": "from-outside"])
        #expect(try Self.send(port).status == 401)
        #expect(try Self.send(port, token: token).status == 200)
        kill(process.identifier, SIGTERM)
        #expect(process.outcome().status == 0)
        #expect(try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").count == 1)
      }
      let empty = try place.run(
        "serve", "--model", place.model, "--token-file", try place.file("empty", " \n"))
      #expect(empty.status == 1 && empty.errors.contains("empty: expected a token"))
      let none = try place.run("serve", "--model", place.model, "--token-file", place.folder + "/nowhere")
      #expect(none.status == 1 && none.errors.contains("/nowhere"))
    }
  }

  @Test func whatCannotBe() throws {
    try Workplace.with { place in
      for (option, value) in [
        ("--port", "65536"), ("--batch-size", "0"), ("--batch-delay", "-1"), ("--queue", "0"),
        ("--max-body", "1025"),
        ("--max-images", "0"), ("--timeout", "0"), ("--max-connections", "0"),
      ] {
        let outcome = try place.run("serve", "\(option)=\(value)", "--model", place.model)
        #expect(outcome.status == 64 && outcome.errors.contains("\(option): expected"), "\(outcome.errors)")
      }
      let (process, port, _) = try Self.start(place)
      let taken = try place.run("serve", "--port", "\(port)", "--model", place.model)
      #expect(
        taken.status == 1
          && taken.complaints == ["captioner: 127.0.0.1:\(port): can't listen: Address already in use"])
      let missing = try place.run("serve", "--model", place.folder + "/nowhere.safetensors")
      #expect(missing.status == 1 && missing.complaints.count == 1)
      kill(process.identifier, SIGTERM)
      #expect(process.outcome().status == 0)
    }
  }
}
