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

/// What is wrong with a file of features, as `MapCache` keeps them, or of photos, as `ReducedPhotoCache` does.
public enum FeatureFileCheck {
  /// What a file is meant to hold, `features` or `photos`; nil: something else.
  public static func kind(of file: SafetensorsFile) -> String? {
    guard file.entries["status"] != nil else { return nil }
    return ["features", ReducedPhotoCache.tensor].first { file.entries[$0] != nil }
  }

  /// Reads every row.
  /// - Parameter progress: called with the number of rows read so far and of all.
  public static func findings(
    _ file: SafetensorsFile, progress: (Int, Int) -> Void = { _, _ in }
  ) -> [Finding] {
    func unusable(_ problem: String) -> [Finding] { [Finding(.featureFile, at: file.path, problem)] }
    guard let status = file.entries["status"], let kind = Self.kind(of: file), let rows = file.entries[kind],
      rows.shape.rank == 2, status.shape == [rows.shape[0]], status.typeName == "U8",
      let isSound = soundness(of: kind, in: file, rows)
    else {
      let types = Self.kind(of: file) == ReducedPhotoCache.tensor ? "photos U8" : "features F32 or F16"
      return unusable("expected \(types) [images, width] and status U8 [images]")
    }
    guard file.metadata["key"] != nil else {
      return unusable("expected a key in the metadata that tells what made the \(kind), found none")
    }
    let count = rows.shape[0]
    let names = CachedRows.names(in: file)
    guard let names, names.count == count else {
      return unusable("expected the names of \(count) images, found \(names.map { "\($0.count)" } ?? "none")")
    }
    let statuses = file.bytes(of: status)
    var findings: [Finding] = []
    for row in 0..<count {
      let place = "\(file.path): \(names[row])"
      switch MapCache.Status(rawValue: statuses[row]) {
      case .done:
        if !isSound(row) { findings.append(Finding(.damagedRow, at: place, damage(kind))) }
      case .failed: findings.append(Finding(.unreadableRow, at: place, "the image could not be read"))
      case .missing, nil: findings.append(Finding(.missingRow, at: place, "not there yet"))
      }
      if row % 256 == 255 || row == count - 1 { progress(row + 1, count) }
    }
    return findings
  }

  /// What damaged rows are, for people.
  private static func damage(_ kind: String) -> String {
    kind == ReducedPhotoCache.tensor ? ReducedPhotoCache.damage : MapCache.damage
  }

  /// What tells whether a row is not damaged; nil: rows are of another type.
  private static func soundness(
    of kind: String, in file: SafetensorsFile, _ rows: SafetensorsFile.Entry
  ) -> ((Int) -> Bool)? {
    let width = rows.shape[1]
    if kind == ReducedPhotoCache.tensor {
      guard rows.typeName == "U8" else { return nil }
      return { row in
        let first = row * width
        let header = file.bytes(first..<first + min(width, ReducedPhotoCache.headerSize), of: rows)
        return header.withUnsafeBytes {
          ReducedPhotoCache.size(in: $0, pixels: (width - ReducedPhotoCache.headerSize) / 3) != nil
        }
      }
    }
    guard let stored = try? file.stored("features"), stored.type != .bfloat16 else { return nil }
    return { MapCache.isPlausible($0, stored, width) }
  }
}
