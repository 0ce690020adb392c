internal import Foundation
internal import Support

/// Where a run was begun: `run` in its `config.json`. What its options call a file by is found again from it, when the
/// run's folder has moved, alone or with its data, and when the command is given in another folder.
struct RunPlace: Codable, Equatable {
  /// The key in `config.json`.
  static let key = "run"

  /// The run's folder, as an absolute path.
  let folder: String
  /// The folder that relative paths began in.
  let workingFolder: String

  enum CodingKeys: String, CodingKey {
    case folder
    case workingFolder = "working_folder"
  }

  /// Of a run whose command is given now.
  init(folder: String) {
    workingFolder = FileManager.default.currentDirectoryPath
    self.folder = Self.absolute(folder, in: workingFolder)
  }

  /// Where a path of the run's options leads now: to what moved with the run's folder, else to what stayed where it was,
  /// else to what the path means in the folder where the command is given.
  /// - Parameters:
  ///   - begun: where the run was begun; nil for a run of an earlier version, which did not keep it: then it is looked
  ///     for in the folders above the run's.
  ///   - now: where it is.
  /// - Returns: a path; the same one when nothing is there.
  static func resolved(_ path: String, of begun: RunPlace?, now: RunPlace) -> String {
    let here = absolute(path, in: now.workingFolder)
    var places: [String] = []
    if let begun {
      let then = absolute(path, in: begun.workingFolder)
      if now.folder != begun.folder { places.append(moved(then, from: begun.folder, to: now.folder)) }
      places += [then, here]
    } else {
      places.append(here)
      var above = now.folder
      while path.first != "/", above != "/" {
        above = parent(of: above)
        places.append(absolute(path, in: above))
      }
    }
    guard let found = places.first(where: { access(FileName.path($0), F_OK) == 0 }) else { return path }
    return found == here ? path : found
  }

  /// The path that is to `new` what `path` is to `old`.
  private static func moved(_ path: String, from old: String, to new: String) -> String {
    let (names, base) = (components(path), components(old))
    let common = zip(names, base).prefix { $0 == $1 }.count
    let kept = components(new).dropLast(base.count - common)
    return "/" + (kept + names.dropFirst(common)).joined(separator: "/")
  }

  private static func absolute(_ path: String, in folder: String) -> String {
    "/" + components(path.hasPrefix("/") ? path : folder + "/" + path).joined(separator: "/")
  }

  private static func parent(of path: String) -> String {
    "/" + components(path).dropLast().joined(separator: "/")
  }

  /// The names of an absolute path, `.` and `..` followed.
  private static func components(_ path: String) -> [String] {
    var names: [String] = []
    for name in path.split(separator: "/") where name != "." {
      if name == ".." { names = names.dropLast() } else { names.append(String(name)) }
    }
    return names
  }
}

/// A run's `config.json`: its options, and where it was begun.
struct RunFile: Codable {
  var configuration: TrainingConfiguration
  var place: RunPlace?

  private enum CodingKeys: String, CodingKey { case run }

  init(_ configuration: TrainingConfiguration, place: RunPlace) {
    self.configuration = configuration
    self.place = place
  }

  init(from decoder: any Decoder) throws {
    configuration = try TrainingConfiguration(from: decoder)
    place = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(RunPlace.self, forKey: .run)
  }

  func encode(to encoder: any Encoder) throws {
    try configuration.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(place, forKey: .run)
  }
}

extension TrainingConfiguration {
  /// The options that name files which a run reads again when it is resumed, with what they name.
  var sources: [(option: String, paths: [String])] {
    [
      ("captions", self.captions), ("images", self.images),
      ("features", self.features),
      ("validation-captions", self.validationCaptions), ("validation-images", self.validationImages),
      ("skip", self.skip), ("text", self.text), ("labels", self.labels),
      ("label-images", self.labelImages), ("label-names", [self.labelNames]),
      ("teacher-scores", [self.teacherScores]), ("teacher-images", [self.teacherImages]),
      ("encoder", [self.encoder]),
    ]
  }

  /// The options of a run that is elsewhere now.
  func moved(from begun: RunPlace?, to now: RunPlace) -> TrainingConfiguration {
    func resolved(_ path: String) -> String {
      path.isEmpty ? path : RunPlace.resolved(path, of: begun, now: now)
    }
    var result = self
    result.captions = self.captions.map(resolved)
    result.images = self.images.map(resolved)
    result.features = self.features.map(resolved)
    result.validationCaptions = self.validationCaptions.map(resolved)
    result.validationImages = self.validationImages.map(resolved)
    result.skip = self.skip.map(resolved)
    result.text = self.text.map(resolved)
    result.labels = self.labels.map(resolved)
    result.labelImages = self.labelImages.map(resolved)
    result.labelNames = resolved(self.labelNames)
    result.teacherScores = resolved(self.teacherScores)
    result.teacherImages = resolved(self.teacherImages)
    result.encoder = resolved(self.encoder)
    result.start = resolved(self.start)
    return result
  }

  /// The first file that a run needs and that is not there, for people; nil: all are.
  var lost: String? {
    for (option, paths) in sources {
      for path in paths where !path.isEmpty && access(FileName.path(path), F_OK) != 0 {
        return "\(path): expected what the run was begun with, found nothing; "
          + "if it has moved, --\(option) says where it is now"
      }
    }
    return nil
  }
}
