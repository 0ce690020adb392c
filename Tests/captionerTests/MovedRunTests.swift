import Foundation
import Support
import Tensors
import TestSupport
import Testing

/// A run goes on wherever it, its data and the command are: what counts is what the files hold.
@Suite struct MovedRunTests {
  /// A project: data, encoder and run in one folder, with relative paths, stopped after an epoch; and the model that the
  /// whole run gives.
  private static func with(_ body: (TrainingPlace, _ project: String, _ whole: Data) throws -> Void) throws {
    try TrainingPlace.with { test in
      let place = test.place
      let project = try place.makeFolder("project")
      for name in ["photos", "captions.json", "model.safetensors"] {
        try FileManager.default.copyItem(atPath: "\(place.folder)/\(name)", toPath: "\(project)/\(name)")
      }
      for (output, epochs) in [("whole", "3"), ("run", "1")] {
        let outcome = try place.start(arguments(output, epochs), workingFolder: project).outcome()
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      let whole = try model(project + "/whole")
      try FileManager.default.removeItem(atPath: project + "/whole")
      try body(test, project, whole)
    }
  }

  private static func arguments(_ output: String, _ epochs: String) -> [String] {
    [
      "train", "--captions", "captions.json", "--images", "photos", "--validation-captions", "captions.json",
      "--encoder", "model.safetensors", "--output", output, "--embedding-size", "8", "--hidden-size", "16",
      "--feature-size", "16", "--min-count", "1", "--batch-size", "2", "--learning-rate", "0.02",
      "--stop-patience", "40", "--start", "none", "--epochs", epochs,
    ]
  }

  private static func model(_ folder: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
  }

  private static func features(_ folder: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
      $0.hasPrefix("features-")
    }
    return Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, FileManager.default.contents(atPath: "\(folder)/\($0)") ?? Data())
      })
  }

  private static func move(_ path: String, to target: String) throws {
    try FileManager.default.moveItem(atPath: path, toPath: target)
  }

  private static func resume(
    _ test: TrainingPlace, _ output: String, from folder: String, _ more: String...
  ) throws -> CaptionerProcess.Outcome {
    try test.place.start(
      ["train", "--resume", "--output", output, "--epochs", "3"] + more, workingFolder: folder
    ).outcome()
  }

  @Test func theCommandMayBeGivenElsewhere() throws {
    try Self.with { test, project, whole in
      let before = try Self.features(project + "/run")
      let outcome = try Self.resume(test, project + "/run", from: "/")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Self.model(project + "/run") == whole)
      #expect(try Set(Self.features(project + "/run").keys) == Set(before.keys) && before.count == 2)
      // And again where it began.
      #expect(try Self.resume(test, "run", from: project).status == 0)
    }
  }

  @Test func theWholeProjectMayMove() throws {
    try Self.with { test, project, whole in
      let moved = try test.place.makeFolder("other/place") + "/project"
      try Self.move(project, to: moved)
      let outcome = try Self.resume(test, moved + "/run", from: test.place.folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Self.model(moved + "/run") == whole)
      #expect(try Self.features(moved + "/run").count == 2)
    }
  }

  @Test func theRunAloneMayMove() throws {
    try Self.with { test, project, whole in
      let moved = test.place.folder + "/elsewhere"
      try Self.move(project + "/run", to: moved)
      #expect(try Self.resume(test, moved, from: project).status == 0)
      #expect(try Self.model(moved) == whole && Self.features(moved).count == 2)
    }
  }

  /// What moves without the run is named, with the option that says where it is now.
  @Test func theDataMayMove() throws {
    try Self.with { test, project, whole in
      let data = try test.place.makeFolder("data")
      for name in ["photos", "captions.json", "model.safetensors"] {
        try Self.move("\(project)/\(name)", to: "\(data)/\(name).moved")
      }
      let lost = try Self.resume(test, "run", from: project)
      #expect(
        lost.status == 1 && lost.errors.contains("captions.json: expected what the run was begun with")
          && lost.errors.contains("--captions says where it is now"), "\(lost.errors)")
      let found = try Self.resume(
        test, "run", from: project, "--captions", data + "/captions.json.moved", "--validation-captions",
        data + "/captions.json.moved", "--images", data + "/photos.moved", "--encoder",
        data + "/model.safetensors.moved")
      #expect(found.status == 0, "\(found.errors)")
      // The model tells by what names they were found last.
      #expect(try Self.model(project + "/run").suffix(1000) == whole.suffix(1000))
      #expect(try Self.features(project + "/run").count == 2)
      // Where they are now is remembered.
      #expect(try Self.resume(test, project + "/run", from: "/").status == 0)
    }
  }

  @Test func otherContentUnderTheSameNamesIsRefused() throws {
    try Self.with { test, project, _ in
      let captions = project + "/captions.json"
      let text = try String(contentsOfFile: captions, encoding: .utf8)
      try text.replacing("in snow 3", with: "in 3 snow").write(
        toFile: captions, atomically: true, encoding: .utf8)
      let words = try Self.resume(test, "run", from: project)
      #expect(
        words.status == 1 && words.errors.contains("other captions, or other images"), "\(words.errors)")
      #expect(words.errors.contains("--start run/model.safetensors"))
      try text.write(toFile: captions, atomically: true, encoding: .utf8)
      try TinyNetwork.writeModel(to: project + "/model.safetensors", tensors: TinyNetwork.tensors(seed: 2))
      let before = try Self.features(project + "/run")
      let encoder = try Self.resume(test, "run", from: project)
      #expect(encoder.status == 1 && encoder.errors.contains("other convolutions"), "\(encoder.errors)")
      // Before any feature is computed.
      #expect(try Self.features(project + "/run") == before)
    }
  }

  /// As earlier versions left it: without where it was begun, without names of contents, and images called by their paths.
  @Test func runsOfEarlierVersionsGoOn() throws {
    try Self.with { test, project, whole in
      let run = project + "/run"
      let config = try #require(FileManager.default.contents(atPath: run + "/config.json"))
      var options = try #require(try JSONSerialization.jsonObject(with: config) as? [String: Any])
      #expect(options.removeValue(forKey: "run") != nil)
      try JSONSerialization.data(withJSONObject: options).write(
        to: URL(fileURLWithPath: run + "/config.json"))
      let path = run + "/checkpoint.safetensors"
      let file = try SafetensorsFile(path: path)
      var metadata = file.metadata
      var state = try #require(
        try JSONSerialization.jsonObject(with: Data((metadata["state"] ?? "").utf8)) as? [String: Any])
      for key in ["images", "encoder", "scale"] { #expect(state.removeValue(forKey: key) != nil) }
      metadata["state"] = String(decoding: try JSONSerialization.data(withJSONObject: state), as: UTF8.self)
      try file.copy(to: path + ".new", metadata: metadata)
      try FileManager.default.removeItem(atPath: path)
      try Self.move(path + ".new", to: path)
      for (name, _) in try Self.features(run) {
        let cache = try SafetensorsFile(path: "\(run)/\(name)")
        let names = try #require(cache.metadata["names"])
        try cache.copy(
          to: run + "/features-0\(name.dropFirst("features-".count))",
          metadata: cache.metadata.merging(["names": names.replacing(/"(\d)/) { "\"photos/\($0.1)" }]) { $1 })
        try FileManager.default.removeItem(atPath: "\(run)/\(name)")
      }
      let copy = test.place.folder + "/copy"
      try FileManager.default.copyItem(atPath: project, toPath: copy)
      // Where it was begun; then, in a copy, from elsewhere, and with other data in the folder of the command.
      #expect(try Self.resume(test, "run", from: project).status == 0)
      #expect(try Self.model(run) == whole && Self.features(run).count == 2)
      let moved = try Self.resume(test, copy + "/run", from: "/")
      #expect(moved.status == 0, "\(moved.errors)")
      #expect(try Self.model(copy + "/run") == whole && Self.features(copy + "/run").count == 2)
    }
  }

  /// What decides how steps are taken may change, if it is said; what decides what the run is may not.
  @Test func someOptionsMayChange() throws {
    try Self.with { test, project, whole in
      for name in ["a", "b", "c"] {
        try FileManager.default.copyItem(atPath: project + "/run", toPath: "\(project)/\(name)")
      }
      let free = try Self.resume(
        test, "a", from: project, "--learning-rate", "0.001", "--schedule", "cosine", "--batch-size", "3",
        "--threads", "1", "--validation-beam-width", "1", "--output-dropout", "0")
      #expect(free.status == 0, "\(free.errors)")
      #expect(try Self.model(project + "/a") != whole)
      let config = try String(contentsOfFile: project + "/a/config.json", encoding: .utf8)
      #expect(config.contains(#""batch_size" : 3"#) && config.contains(#""schedule" : "cosine""#))
      let fixed = try Self.resume(test, "b", from: project, "--hidden-size", "8", "--min-count", "2")
      #expect(
        fixed.status == 1
          && fixed.errors.contains(
            "hidden_size: 16 then, 8 now; min_count: 1 then, 2 now; another run can begin")
          && fixed.errors.contains("--start b/model.safetensors"), "\(fixed.errors)")
      #expect(try Self.resume(test, "b", from: project).status == 0)
      #expect(try Self.model(project + "/b") == whole)
    }
  }
}
