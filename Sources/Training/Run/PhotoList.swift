internal import Datasets

/// Photos of a run, a row each, and what they are called.
struct PhotoList: Sendable {
  /// For messages: the files that name them.
  let name: String
  /// The photos' files.
  let files: [String]
  /// What they are called in their folder.
  let fileNames: [String]
  /// The same, with the folder's number where there are several: the same wherever the folders are.
  let names: [String]
  /// Their ids, where their caption file has some.
  let ids: [ImageID?]
  /// Tells lists of photos with the same names apart: empty, or what they are for.
  let role: String

  /// Whether they have no captions to learn, but something else is known of them.
  var isBesideCaptions: Bool { [Self.labels, Self.teacher].contains(role) }

  /// The role of photos with labels.
  static let labels = "labels"
  /// The role of photos that a teacher has seen.
  static let teacher = "teacher"

  /// - Parameters:
  ///   - paths: the files that name them.
  ///   - photos: where each is.
  ///   - ids: their ids, where they are known.
  init(
    _ paths: [String], _ photos: [(folder: String, fileName: String)], ids: [ImageID?]? = nil, role: String
  ) {
    name = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: ", ")
    var folders: [String: Int] = [:]
    let folderOfRow = photos.map { photo in
      let number = folders[photo.folder] ?? folders.count
      folders[photo.folder] = number
      return number
    }
    files = photos.map { $0.folder.isEmpty ? $0.fileName : $0.folder + "/" + $0.fileName }
    fileNames = photos.map(\.fileName)
    names = folders.count > 1 ? zip(folderOfRow, fileNames).map { "\($0)/\($1)" } : fileNames
    self.ids = ids ?? photos.map { _ in nil }
    self.role = role
  }

  /// The photos as features are found by.
  var images: [NamedImage] {
    files.indices.map { NamedImage(path: files[$0], fileName: fileNames[$0], id: ids[$0]) }
  }
}
