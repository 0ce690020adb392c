#if MPI
  import Foundation
  import Tensors
  import TestSupport
  import Testing

  /// Whether `mpirun` can start processes here, which takes more than that it is there: a host that has an address, say.
  private let canStartProcesses: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "timeout 60 mpirun --oversubscribe --allow-run-as-root -np 2 true >/dev/null 2>&1",
    ]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// Two processes and more that work together, as `mpirun` starts them.
  @Suite(.serialized, .enabled(if: canStartProcesses)) struct MPITests {
    private static let mpirun = "exec mpirun --oversubscribe --allow-run-as-root"

    private func start(_ ranks: Int, _ arguments: [String], in place: Workplace) throws -> CaptionerProcess {
      try CaptionerProcess(
        arguments, in: place.folder, environment: ["OMP_NUM_THREADS": "1"],
        shell: "\(Self.mpirun) -np \(ranks) \"$@\"")
    }

    /// The tensors of a run's checkpoint.
    private func tensors(_ place: TrainingPlace, _ output: String) throws -> [String: Tensor] {
      let file = try SafetensorsFile(path: "\(place.place.folder)/\(output)/checkpoint.safetensors")
      return try Dictionary(
        uniqueKeysWithValues: file.entries.keys.map { ($0, try file.tensor(named: $0)) })
    }

    /// The largest difference, relative to the largest number of its tensor.
    private func difference(_ one: [String: Tensor], _ other: [String: Tensor]) -> Double {
      #expect(one.keys == other.keys)
      return one.map { name, tensor in
        let largest = max(1e-30, tensor.scalars.reduce(0) { max($0, abs($1)) })
        let apart = zip(tensor.scalars, other[name]!.scalars).reduce(0) { max($0, abs($1.0 - $1.1)) }
        return Double(apart / largest)
      }.max() ?? 1
    }

    private let steady = [
      "--batch-size", "5", "--learning-rate", "0.002", "--epochs", "30", "--threads", "1",
    ]

    /// 120 steps, dropout and all.
    @Test func ranksTrainAsOneProcessDoes() throws {
      try TrainingPlace.with { place in
        #expect(try place.run(place.arguments("alone", steady)).status == 0)
        for ranks in 1...3 {
          let outcome = try start(ranks, place.arguments("ranks\(ranks)", steady), in: place.place).outcome()
          #expect(outcome.status == 0, "\(outcome.errors)")
        }
        #expect(try place.result("ranks1") == place.result("alone"))
        let alone = try tensors(place, "alone")
        for ranks in 2...3 {
          #expect(try difference(alone, tensors(place, "ranks\(ranks)")) < 1e-5, "\(ranks) ranks")
        }
        #expect(try place.files("ranks2") == place.files("alone"))
        #expect(try start(2, place.arguments("again", steady), in: place.place).outcome().status == 0)
        #expect(try place.result("again") == place.result("ranks2"))
      }
    }

    /// A rank that dies ends the job; what it left is gone on from, exactly.
    @Test func aKilledRankEndsTheJob() throws {
      try goesOnExactly(after: SIGKILL) { outcome in
        #expect(outcome.status != 0 && outcome.errors.contains("rank 1 "), "\(outcome.errors)")
      }
    }

    /// Whoever is asked to end, all do, with their state kept in the middle of an epoch.
    @Test func aJobThatIsStoppedGoesOnExactly() throws {
      try goesOnExactly(after: SIGTERM) { outcome in
        #expect(outcome.status == 1, "\(outcome.errors)")
        let told = outcome.errors.split(separator: "\n").count {
          $0.contains("interrupted; continue with --resume")
        }
        #expect(told == 1, "\(outcome.errors)")
      }
    }

    /// Sends rank 1 of two a signal on the way, and resumes what is left.
    private func goesOnExactly(
      after signal: Int32, _ check: (CaptionerProcess.Outcome) throws -> Void
    ) throws {
      try TrainingPlace.with { place in
        let whole = try start(2, place.arguments("whole", steady), in: place.place).outcome()
        #expect(whole.status == 0, "\(whole.errors)")
        let process = try start(2, place.arguments("ended", steady), in: place.place)
        try place.wait(for: 4, in: "ended", process)
        kill(try #require(rank(1, under: process.identifier)), signal)
        try check(process.outcome())
        let resume = ["train", "--resume", "--output", "ended", "--threads", "1"]
        let resumed = try start(2, resume, in: place.place).outcome()
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try place.result("ended") == place.result("whole"))
      }
    }

    /// The process that is a rank, among those that another started.
    private func rank(_ rank: Int, under parent: Int32) -> Int32? {
      let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return processes.compactMap(Int32.init).first { process in
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
        return status.contains("PPid:\t\(parent)\n")
          && environment.split(separator: 0).contains(Data("OMPI_COMM_WORLD_RANK=\(rank)".utf8))
      }
    }

    @Test func otherOptionsAreRefusedByName() throws {
      try TrainingPlace.with { place in
        let one = place.arguments("run", steady + ["--seed", "1"])
        let process = try CaptionerProcess(
          one, in: place.place.folder,
          shell: "\(Self.mpirun) -np 1 \"$@\" : -np 1 \"$@\" --seed 2")
        let outcome = process.outcome()
        #expect(outcome.status == 1, "\(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("captioner: ") }
        #expect(
          lines.count { $0.contains("rank 1: expected the options and files of rank 0, found --seed") } == 1)
        #expect(!FileManager.default.fileExists(atPath: place.place.folder + "/run"))
        let refused = try start(2, place.arguments("run", "--self-critical", "2"), in: place.place).outcome()
        #expect(
          refused.status == 1 && refused.errors.contains("--self-critical: expected 0 where 2 processes"))
      }
    }

    @Test(arguments: ["jsonl", "csv"]) func ranksCaptionAsOneProcessDoes(ending: String) throws {
      try Workplace.with { place in
        _ = try place.dataset()
        try place.file("photos/5.jpg", "no photo")
        // Enough for some batches.
        let list = (0..<70).map { "photos/\($0 % 8 + 1).jpg" }
        for (number, photo) in list.enumerated() where number >= 8 {
          try FileManager.default.copyItem(
            atPath: "\(place.folder)/\(photo)", toPath: "\(place.folder)/photos/copy\(number).jpg")
        }
        let photos = (8..<70).map { "photos/copy\($0).jpg" } + list.prefix(8)
        try place.file("list", photos.joined(separator: "\n"))
        func arguments(_ output: String) -> [String] {
          [
            "caption", "--files-from", "list", "--model", place.model, "--sample", "--captions", "2",
            "--threads",
            "1", "--output", output,
          ]
        }
        func text(_ name: String) throws -> String {
          try String(contentsOfFile: "\(place.folder)/\(name)", encoding: .utf8)
        }
        /// Photos and the words that were drawn, not the last digits of their log-probs: other batches round otherwise.
        func told(_ name: String) throws -> [String] {
          try text(name).split(separator: "\n").map {
            String($0).replacing(/-?[0-9.]+e?-?[0-9]*[,}\]]/, with: "")
          }
        }
        #expect(try place.start(arguments("alone.\(ending)")).outcome().status == 1)
        let outcome = try start(3, arguments("shared.\(ending)"), in: place).outcome()
        #expect(outcome.status == 1 && outcome.errors.contains("captioned, "), "\(outcome.errors)")
        #expect(try told("shared.\(ending)") == told("alone.\(ending)"))
        // What a job that was cut short left: a part, and one whose last line is torn.
        let lines = try text("shared.\(ending)").split(separator: "\n", omittingEmptySubsequences: false)
        let head = ending == "csv" ? [lines[0]] : []
        let body = lines.dropFirst(head.count)
        try place.file("cut.\(ending).rank-0", (head + body.prefix(20) + [""]).joined(separator: "\n"))
        try place.file(
          "cut.\(ending).rank-7", (head + body.dropFirst(30).prefix(9) + ["{\"ima"]).joined(separator: "\n"))
        let resumed = try start(2, arguments("cut.\(ending)"), in: place).outcome()
        #expect(resumed.errors.contains("skipped"), "\(resumed.errors)")
        #expect(try told("cut.\(ending)") == told("alone.\(ending)"))
        let files = try FileManager.default.contentsOfDirectory(atPath: place.folder)
        #expect(!files.contains { $0.contains(".rank-") })
      }
    }

    @Test func whatCannotBeSharedIsRefused() throws {
      try Workplace.with { place in
        _ = try place.dataset()
        let caption = ["caption", "photos", "--model", place.model]
        for (more, line) in [
          ([], "--output: expected a file where 2 processes share the photos, found none"),
          (["--shard", "1/2", "--output", "a.jsonl"], "--shard: not where 2 processes share the photos"),
        ] {
          let outcome = try start(2, caption + more, in: place).outcome()
          #expect(outcome.status == 64, "\(outcome.errors)")
          #expect(outcome.errors.split(separator: "\n").count { $0.contains(line) } == 1, "\(outcome.errors)")
        }
      }
    }
  }
#endif
