internal import Foundation
internal import Kernels
public import Support
public import Tensors

extension Finding.Kind {
  static let featureFile = Self(
    "feature_file", "feature files that can't be used",
    remedy: "delete the file: the next run makes it again")
  static let damagedRow = Self(
    "damaged_row", "rows of features that are damaged",
    remedy: "nothing need be done: the next run computes them again")
  static let missingRow = Self(
    "missing_row", "rows of features that are not there yet",
    remedy: "run the command again: it goes on from there", isNote: true)
  static let unreadableRow = Self(
    "unreadable_row", "rows whose images could not be read",
    remedy: "doctor --captions --images tells why; the next run tries them again", isNote: true)
}

/// What is wrong with a file of features, as `MapCache` keeps them.
public enum FeatureFileCheck {
  /// Whether a file is meant to be one.
  public static func recognises(_ file: SafetensorsFile) -> Bool {
    file.entries["features"] != nil && file.entries["status"] != nil
  }

  /// Reads every row.
  /// - Parameter progress: called with the number of rows read so far and of all.
  public static func findings(
    _ file: SafetensorsFile, progress: (Int, Int) -> Void = { _, _ in }
  ) -> [Finding] {
    func unusable(_ problem: String) -> [Finding] { [Finding(.featureFile, at: file.path, problem)] }
    guard let features = file.entries["features"], let status = file.entries["status"],
      features.shape.rank == 2, status.shape == [features.shape[0]], status.typeName == "U8",
      let stored = try? file.stored("features"), stored.type != .bfloat16
    else { return unusable("expected features F32 or F16 [images, width] and status U8 [images]") }
    guard file.metadata["key"] != nil else {
      return unusable("expected a key in the metadata that tells what made the features, found none")
    }
    let (count, width) = (features.shape[0], features.shape[1])
    let names = file.metadata["names"].flatMap {
      try? JSONDecoder().decode([String].self, from: Data($0.utf8))
    }
    guard let names, names.count == count else {
      return unusable("expected the names of \(count) images, found \(names.map { "\($0.count)" } ?? "none")")
    }
    let statuses = file.bytes(of: status)
    var findings: [Finding] = []
    for row in 0..<count {
      let place = "\(file.path): \(names[row])"
      switch MapCache.Status(rawValue: statuses[row]) {
      case .done:
        if !MapCache.isPlausible(row, stored, width) {
          findings.append(Finding(.damagedRow, at: place, "no finite numbers"))
        }
      case .failed: findings.append(Finding(.unreadableRow, at: place, "the image could not be read"))
      case .missing, nil: findings.append(Finding(.missingRow, at: place, "not there yet"))
      }
      if row % 256 == 255 || row == count - 1 { progress(row + 1, count) }
    }
    return findings
  }
}
