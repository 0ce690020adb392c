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
    try path ?? Self.standard()
  }

  /// The default model.
  /// - Throws: `Failure` when none is found.
  static func standard() throws -> String {
    if let path = ProcessInfo.processInfo.environment["CAPTIONER_MODEL"], !path.isEmpty { return path }
    let places = defaultPlaces
    if let found = places.first(where: { FileManager.default.fileExists(atPath: $0) }) { return found }
    throw Failure(
      description: "no model: expected --model FILE, $CAPTIONER_MODEL or a file "
        + "\(places.joined(separator: " or ")), found none")
  }

  private static let fileName = "captioner.safetensors"

  private static var executableFolder: URL {
    let path =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent()
  }

  /// The install's own places: `models/` of the package that the executable was built in (above its `.build`), then
  /// `../share/captioner` beside it. Not every folder above: `/tmp/models` may be anybody's.
  private static var defaultPlaces: [String] {
    defaultPlaces(executableFolder: executableFolder.path)
  }

  static func defaultPlaces(executableFolder folder: String) -> [String] {
    let components = folder.split(separator: "/", omittingEmptySubsequences: true)
    func path(_ components: some Sequence<Substring>, _ rest: String) -> String {
      components.map { "/" + $0 }.joined() + rest + fileName
    }
    var places: [String] = []
    if let build = components.lastIndex(of: ".build") {
      places.append(path(components[..<build], "/models/"))
    }
    return places + [path(components.dropLast(), "/share/captioner/")]
  }
}
