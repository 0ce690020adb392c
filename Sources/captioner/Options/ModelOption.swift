import ArgumentParser
import Foundation

/// `--model`, and where the default model is.
struct ModelOption: ParsableArguments {
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "Model file; else $CAPTIONER_MODEL, else the embedded model that comes with captioner.",
      valueName: "file"))
  var path: String?

  /// The file to load.
  /// - Throws: `Failure` when no model is named and none is found.
  func resolved() throws -> String {
    if let path { return path }
    if let path = ProcessInfo.processInfo.environment["CAPTIONER_MODEL"], !path.isEmpty { return path }
    let places = Self.defaultPlaces
    if let found = places.first(where: { FileManager.default.fileExists(atPath: $0) }) { return found }
    throw Failure(
      description: "no model: expected --model FILE, $CAPTIONER_MODEL or \(Self.fileName) in models/ above "
        + "\(Self.executableFolder.path), found none")
  }

  private static let fileName = "captioner.safetensors"

  private static var executableFolder: URL {
    let path =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent()
  }

  /// `models/` walking up from the executable, then `../share/captioner` beside it.
  private static var defaultPlaces: [String] {
    var places: [String] = []
    var folder = executableFolder
    while true {
      places.append(folder.appendingPathComponent("models/\(fileName)").path)
      let parent = folder.deletingLastPathComponent()
      if parent.path == folder.path { break }
      folder = parent
    }
    let share = executableFolder.deletingLastPathComponent().appendingPathComponent(
      "share/captioner/\(fileName)")
    return places + [share.path]
  }
}
