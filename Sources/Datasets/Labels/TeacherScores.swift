internal import Foundation
internal import Support
internal import Tensors

/// What another network, the teacher, thinks of photos: scores of K classes for each, before their softmax.
///
/// A safetensors file: `scores` [N, K], F32, F16 or BF16, in metadata `names` a JSON list of N file names, and whatever else.
/// `tools/teacher/scores` writes one.
public struct TeacherScores: Sendable {
  /// The file.
  public let path: String
  /// The photos' files (N), none twice; none leaves the folder of images.
  public let names: [String]
  /// K.
  public let classes: Int
  private let stored: StoredTensor

  /// - Parameter folder: of the photos.
  /// - Throws: `DatasetError` when it can't be read, is something else, or holds a score that is not finite.
  public init(path: String, images folder: String) throws(DatasetError) {
    self.path = path
    let file: SafetensorsFile
    do { file = try SafetensorsFile(path: path) } catch {
      throw .unexpected(
        path: path, location: "the file", expected: "a teacher's scores (safetensors)",
        found: Self.reason(error, path))
    }
    func refusal(_ location: String, _ expected: String, _ found: String) -> DatasetError {
      .unexpected(path: path, location: location, expected: expected, found: found)
    }
    guard let entry = file.entries["scores"] else {
      let found = file.entries.keys.sorted().prefix(3).joined(separator: ", ")
      throw refusal("the file", "a tensor scores [photos, classes]", found.isEmpty ? "no tensor" : found)
    }
    guard entry.shape.rank == 2, entry.shape[0] > 0, entry.shape[1] > 1,
      StoredType(rawValue: entry.typeName) != nil
    else {
      throw refusal(
        "scores", "[photos, classes] of F32, F16 or BF16", "\(entry.shape) of \(entry.typeName)")
    }
    guard let text = file.metadata["names"],
      let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8))
    else { throw refusal("metadata names", "a JSON list of file names", "none") }
    guard names.count == entry.shape[0] else {
      throw refusal("metadata names", "\(entry.shape[0]), one a row of scores", "\(names.count)")
    }
    let images = ImageFolder(folder)
    var (located, seen) = ([String](), Set<ExactName>())
    for (row, name) in names.enumerated() {
      guard let found = images.name(of: name) else {
        throw .unsafeFileName(path: path, location: "metadata names[\(row)]", name: name)
      }
      guard seen.insert(ExactName(found.name)).inserted else {
        throw refusal("metadata names[\(row)]", "each photo once", "\(name) again")
      }
      located.append(found.name)
    }
    self.names = located
    classes = entry.shape[1]
    do { stored = try file.stored("scores") } catch {
      throw refusal("scores", "numbers", Self.reason(error, path))
    }
    for row in names.indices where !self[row].allSatisfy({ $0.isFinite && abs($0) < 1e6 }) {
      throw refusal("scores[\(row)]", "finite numbers within 1e6", "others")
    }
  }

  /// The scores of a photo (K).
  public subscript(row: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: classes) { buffer, count in
      if let base = buffer.baseAddress { stored.read(row * classes..<(row + 1) * classes, into: base) }
      count = classes
    }
  }

  /// Names the photos and their scores.
  public var fingerprint: UInt64 {
    var result = Fingerprint()
    result.add(bytes: names.joined(separator: "\n").utf8)
    for row in names.indices {
      for score in self[row] { result.addFolded(UInt64(score.bitPattern)) }
    }
    return result.value
  }

  private static func reason(_ error: any Error, _ path: String) -> String {
    let text = "\(error)"
    return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
  }
}
