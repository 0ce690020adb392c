import Foundation
import TestSupport
import Testing

/// The built program, run as a user runs it.
struct CaptionerProcess {
  /// How a run ended.
  struct Outcome {
    /// The exit status; the negated signal's number when one ended the process.
    let status: Int32
    let output, errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// What was said but for progress, which a busy machine shows where others are done in a second.
    var complaints: [String] {
      errors.split(separator: "\n").filter { !$0.contains(" a second") }.map(String.init)
    }

    /// Each line of the output as a JSON object.
    func objects() throws -> [[String: Any]] {
      try lines.map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
    }
  }

  private let process = Process()
  private let folder: String

  /// Starts it.
  /// - Parameters:
  ///   - input: the file that is its standard input.
  ///   - output: where standard output goes instead of into the outcome.
  ///   - shell: what a shell is to do before it becomes the command, as in `exec "$@"`.
  init(
    _ arguments: [String], in folder: String, input: String = "/dev/null", output: String? = nil,
    environment: [String: String] = [:], workingFolder: String? = nil, shell: String? = nil
  ) throws {
    // Files rather than pipes: nobody has to empty them while the process runs.
    self.folder = "\(folder)/process-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    func handle(_ name: String) throws -> FileHandle {
      try Data().write(to: URL(fileURLWithPath: "\(self.folder)/\(name)"))
      return try FileHandle(forWritingTo: URL(fileURLWithPath: "\(self.folder)/\(name)"))
    }
    process.executableURL = URL(fileURLWithPath: shell == nil ? Self.executable : "/bin/sh")
    process.arguments = (shell.map { ["-c", $0, "sh", Self.executable] } ?? []) + arguments
    process.environment = ["PATH": "/usr/bin:/bin"].merging(Sanitizer.environment) { $1 }
      .merging(environment) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: workingFolder ?? folder)
    process.standardInput = FileHandle(forReadingAtPath: input)
    process.standardOutput =
      try output.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) } ?? handle("output")
    process.standardError = try handle("errors")
    try process.run()
  }

  /// Its identifier, for signals.
  var identifier: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// How long a command of the tests may take, many times what the slowest takes on a busy machine.
  static let limit = Duration.seconds(300 * Sanitizer.slowness)

  /// Waits for its end. A command that hangs fails its test, and is killed.
  func outcome(within limit: Duration = limit) -> Outcome {
    let deadline = ContinuousClock.now + limit
    while process.isRunning && ContinuousClock.now < deadline { usleep(2_000) }
    if process.isRunning {
      Issue.record("captioner \(process.arguments ?? []): not ended after \(limit)")
      kill(identifier, SIGKILL)
    }
    process.waitUntilExit()
    func text(_ name: String) -> String {
      String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
    }
    let status = process.terminationStatus
    let outcome = Outcome(
      status: process.terminationReason == .exit ? status : -status, output: text("output"),
      errors: text("errors"))
    try? FileManager.default.removeItem(atPath: folder)
    return outcome
  }

  /// The program lies beside the test bundle, which is this process.
  static let executable: String = {
    let this = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: this).deletingLastPathComponent().appendingPathComponent("captioner").path
  }()
}

/// A folder with the tiny model and some photos, and the program to try on them.
struct Workplace {
  let folder: String
  var model: String { folder + "/model.safetensors" }

  /// Whether a file system may be mounted, as root may outside of most containers.
  static let mayMount =
    (try? withTemporaryFolder { mount("tmpfs", $0, "tmpfs", 0, "size=64k") == 0 && umount2($0, 2) == 0 })
    ?? false

  /// Calls `body` with a new one, which is then removed.
  static func with<R>(_ body: (Workplace) throws -> R) throws -> R {
    try withTemporaryFolder { folder in
      let place = Workplace(folder: folder)
      try TinyNetwork.writeModel(to: place.model)
      return try body(place)
    }
  }

  /// Runs a command to its end.
  func run(
    _ arguments: String..., input: String = "/dev/null", output: String? = nil,
    environment: [String: String] = [:],
    workingFolder: String? = nil
  ) throws -> CaptionerProcess.Outcome {
    try start(
      arguments, input: input, output: output, environment: environment, workingFolder: workingFolder
    ).outcome()
  }

  /// Starts a command.
  func start(
    _ arguments: [String], input: String = "/dev/null", output: String? = nil,
    environment: [String: String] = [:],
    workingFolder: String? = nil
  ) throws -> CaptionerProcess {
    try CaptionerProcess(
      arguments, in: folder, input: input, output: output, environment: environment,
      workingFolder: workingFolder)
  }

  /// Copies a photo of Imaging's fixtures; its new path.
  @discardableResult func photo(_ name: String, as target: String) throws -> String {
    let path = folder + "/" + target
    try makeFolder(of: target)
    try FileManager.default.copyItem(atPath: TestSupport.photo(name), toPath: path)
    return path
  }

  /// Writes a file; its path.
  @discardableResult func file(_ name: String, _ text: String) throws -> String {
    try file(name, Data(text.utf8))
  }

  @discardableResult func file(_ name: String, _ data: Data) throws -> String {
    try makeFolder(of: name)
    try data.write(to: URL(fileURLWithPath: folder + "/" + name))
    return folder + "/" + name
  }

  @discardableResult func makeFolder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
    return folder + "/" + name
  }

  private func makeFolder(of file: String) throws {
    if let slash = file.lastIndex(of: "/") { try makeFolder(String(file[..<slash])) }
  }

  /// A folder `photos` of eight and COCO captions of them, two each.
  func dataset(_ name: String = "captions.json") throws -> String {
    var (images, annotations): ([String], [String]) = ([], [])
    for number in 1...8 {
      if !FileManager.default.fileExists(atPath: "\(folder)/photos/\(number).jpg") {
        try photo("decode/jpeg-orientation-\(number).jpg", as: "photos/\(number).jpg")
      }
      images.append(#"{"id": \#(number), "file_name": "\#(number).jpg"}"#)
      for caption in ["A dog runs in snow \(number).", "The cat number\(number) sits!"] {
        annotations.append(#"{"image_id": \#(number), "caption": "\#(caption)", "id": 1}"#)
      }
    }
    return try file(
      name,
      #"{"info": {}, "images": [\#(images.joined(separator: ","))], "#
        + #""annotations": [\#(annotations.joined(separator: ","))]}"#)
  }

  /// Names of files in it that were given up half-way.
  func leftovers() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.contains(".partial") }
  }
}
