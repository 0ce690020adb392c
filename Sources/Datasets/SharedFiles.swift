internal import Glibc
internal import Support

/// Files of two data sets with the same bytes, found without reading more than a few of them whole.
public struct SharedFiles: Sendable, Equatable {
  /// The files of the second set that the first has too, each with the first's path of it, in order.
  public private(set) var twins: [DataCheck.Twins] = []

  /// What tells most files apart.
  private struct Trait: Hashable {
    let size: Int
    let end: UInt64
  }

  /// Bytes at a file's end that are read of every file that has the size of another.
  private static let end = 4096

  /// - Parameters:
  ///   - train: the files to look among.
  ///   - validation: the files to look for.
  public init(_ train: CaptionDataset, _ validation: CaptionDataset) {
    let paths = Set(train.images.lazy.map { ExactName($0.path) })
    let wanted = validation.images.map(\.path)
    let sizes = wanted.map(Self.size)
    let wantedSizes = Set(sizes.compactMap(\.self))
    var byTrait: [Trait: [String]] = [:]
    for name in paths {
      guard let size = Self.size(name.text), wantedSizes.contains(size), let end = Self.end(name.text, size)
      else { continue }
      byTrait[Trait(size: size, end: end), default: []].append(name.text)
    }
    for (path, size) in zip(wanted, sizes) {
      if paths.contains(ExactName(path)) {
        twins.append(.init(image: path, first: path))
      } else if let size, let end = Self.end(path, size),
        let first = byTrait[Trait(size: size, end: end)]?.min(by: {
          $0.utf8.lexicographicallyPrecedes($1.utf8)
        }),
        Self.haveSameBytes(path, first)
      {
        twins.append(.init(image: path, first: first))
      }
    }
  }

  /// What people are told; nil if nothing is shared.
  public var warning: String? {
    twins.first.map {
      "\(twins.count) validation images are training images too, the first \($0.image)"
        + ($0.image == $0.first ? "" : " (as \($0.first))")
    }
  }

  private static func size(_ path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return nil }
    return Int(status.st_size)
  }

  private static func end(_ path: String, _ size: Int) -> UInt64? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: min(size, end))
    guard pread(descriptor, &bytes, bytes.count, off_t(size - bytes.count)) == bytes.count else { return nil }
    var fingerprint = Fingerprint()
    fingerprint.add(bytes: bytes)
    return fingerprint.value
  }

  private static func haveSameBytes(_ one: String, _ other: String) -> Bool {
    guard let one = try? MappedFile(path: one), let other = try? MappedFile(path: other) else { return false }
    return one.bytes.elementsEqual(other.bytes)
  }
}
