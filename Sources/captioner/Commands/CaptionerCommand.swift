import ArgumentParser
import Foundation
import Imaging
import Kernels
import Support

/// `captioner`: the program, of which every subcommand is a file of this folder.
@main struct CaptionerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "captioner",
    abstract: "Captions photos, and trains and evaluates captioners, on a plain CPU.",
    discussion: """
      Examples:
        captioner caption photo.jpg
        captioner caption photos/ --format json --beam-width 5 --captions 3
        captioner score photo.jpg "a dog runs through the snow"
        captioner serve --port 8080
        captioner train --captions train.json --images photos --validation-captions val.json \\
          --encoder vgg16.safetensors --output run
        captioner evaluate --captions val.json --images photos --results results.json
        captioner language-model train book.txt --output run

      Data goes to standard output, progress and messages to standard error.
      Exit status: 0 all well, 1 something failed (in a batch the rest was still
      done), 64 usage. CAPTIONER_MODEL names the default model; CAPTIONER_ISA
      (baseline, avx2, avx512) holds the vector instructions back.
      """,
    version: "0.1.0",
    subcommands: [
      CaptionCommand.self, AltCommand.self, ScoreCommand.self, ServeCommand.self, TrainCommand.self,
      EvaluateCommand.self,
      FeaturesCommand.self, VocabularyCommand.self, MetricsCommand.self, AverageCommand.self,
      MergeCommand.self, InspectCommand.self, ConvertCommand.self, DataCommand.self, DoctorCommand.self,
      LanguageModelCommand.self,
    ])

  /// Commands that are over in less than a second, but for a photo that they encode.
  private static let quick = ["caption", "alt", "score"]

  /// The arguments after the program's name; file names among them are bytes, and kept as `FileName` texts.
  private static var arguments: [String] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { number in
      CommandLine.unsafeArgv[number].map { argument in
        FileName.text(UnsafeRawBufferPointer(start: argument, count: strlen(argument)))
      }
    }
  }

  static func main() {
    // A file that is opened must not take the place of a closed standard stream, and get its text.
    for stream: Int32 in 0...2 where fcntl(stream, F_GETFD) < 0 {
      _ = open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY)
    }
    // The runtime reads the arguments from /proc; without it a command would be taken for a call for help.
    guard CommandLine.argc > 0 else {
      Console.complain("can't read the arguments: expected /proc to be mounted")
      _exit(1)
    }
    // A file that gets too large for the limit is an error like a full disk, not the end.
    signal(SIGXFSZ, SIG_IGN)
    MappedFile.endCleanlyWhenCutShort()
    OutOfMemory.endCleanly()
    ImageReader.shareHeaps()
    if let name = arguments.first, quick.contains(name) { warmUpProducts() }
    var status = ExitCode.success
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      status = exitCode(for: error)
      let message = OptionSuggestion.improved(fullMessage(for: error), CommandLine.arguments)
      if status == .success {
        do { try Console.print(message) } catch {
          Console.complain("\(error)")
          status = .failure
        }
      } else if !message.isEmpty {
        Console.note(message)
      }
    }
    // Not `exit`: it takes oneDNN's kernels apart, under threads that may still be making them.
    fflush(nil)
    _exit(status.rawValue)
  }
}

/// What every command takes.
struct EngineOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads to compute with; all cores unless given.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
    }
    if let name = ProcessInfo.processInfo.environment["CAPTIONER_ISA"], InstructionSet(named: name) == nil {
      let available = InstructionSet.available.map(\.description).joined(separator: ", ")
      throw ValidationError("CAPTIONER_ISA: expected one of \(available), found \(name)")
    }
  }

  /// Sets the engine up; before anything is computed.
  func apply() {
    if let threads { ThreadPool.setSharedThreads(threads) }
  }
}

/// Something that went wrong and was told in one line; the process exits with 1.
struct Failure: Error, CustomStringConvertible {
  let description: String
}

/// An option that does not go with the others, told in one line; the process exits with 64.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}

/// Runs a command's work; an error becomes one line on standard error and exit status 1, or 64 where only the model
/// could tell that an option is wrong.
/// - Parameter told: how the line is told.
func reportingErrors(told: (String) -> Void = { Console.complain($0) }, _ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as ExitCode {
    throw error
  } catch let error as ValidationError {
    // Thrown on, it would be told with the usage of the program instead of the command.
    told(error.message)
    throw ExitCode.validationFailure
  } catch let error as UsageError {
    told(error.description)
    throw ExitCode.validationFailure
  } catch {
    told("\(error)")
    throw ExitCode(1)
  }
}
