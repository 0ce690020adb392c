internal import Glibc
internal import Imaging
internal import Kernels
internal import Support
internal import Synchronization

/// What decoding every image of some files shows.
struct ImageSurvey: Sendable {
  /// A file as training would find it.
  enum Finding: Sendable, Equatable {
    /// It decodes; pictures of one size that look the same at a side of 256 have equal fingerprints.
    case picture(fingerprint: UInt64)
    case missing(reason: String)
    case corrupt(reason: String)
  }

  /// The findings by path.
  private(set) var findings: [ExactName: Finding] = [:]

  /// The longer side of what is looked at.
  private static let side = 256
  /// Files that are decoded between two reports of progress.
  private static let batch = 64

  /// Decodes all files, several at a time.
  /// - Parameters:
  ///   - reader: reads them, in bounded memory however large they are.
  ///   - progress: called with the number of files done.
  init(_ paths: [String], reader: ImageReader, pool: ThreadPool, progress: (Int) -> Void) {
    for start in stride(from: 0, to: paths.count, by: Self.batch) {
      let range = start..<min(start + Self.batch, paths.count)
      let results = Mutex([Finding?](repeating: nil, count: range.count))
      pool.run(range.count) { piece in
        let finding = Self.finding(at: paths[range.lowerBound + piece], reader)
        results.withLock { $0[piece] = finding }
      }
      for (index, finding) in zip(range, results.withLock { $0 }) {
        findings[ExactName(paths[index])] = finding
      }
      progress(range.upperBound)
    }
  }

  /// Decodes images, or reads their features in files that are there in their place.
  init(
    _ images: [NamedImage], reader: ImageReader, features: FeatureFiles?, pool: ThreadPool,
    progress: (Int) -> Void
  ) {
    self.init(
      features == nil ? images.map(\.path) : [], reader: reader, pool: pool, progress: progress)
    guard let features else { return }
    var numbers = [Float](repeating: 0, count: features.shape.count)
    for (done, image) in images.enumerated() {
      findings[ExactName(image.path)] = Self.finding(image, in: features, &numbers)
      if (done + 1) % Self.batch == 0 || done + 1 == images.count { progress(done + 1) }
    }
  }

  private static func finding(
    _ image: NamedImage, in files: FeatureFiles, _ numbers: inout [Float]
  ) -> Finding {
    do throws(FeatureFileError) {
      guard let place = try files.place(of: image) else {
        return .missing(reason: "\(files.name): expected features of \(image.path), found none")
      }
      try files.checked(place, into: &numbers)
    } catch {
      return .corrupt(reason: "\(error)")
    }
    var result = Fingerprint()
    for number in numbers { result.addFolded(UInt64(number.bitPattern)) }
    return .picture(fingerprint: result.value)
  }

  private static func finding(at path: String, _ reader: ImageReader) -> Finding {
    do {
      let (image, size) = try reader.reduced(contentsOf: path, side: side)
      return .picture(fingerprint: fingerprint(image, of: size))
    } catch {
      return access(FileName.path(path), F_OK) == 0
        ? .corrupt(reason: "\(error)") : .missing(reason: "\(error)")
    }
  }

  private static func fingerprint(_ image: RGBImage, of size: ImageSize) -> UInt64 {
    var result = Fingerprint()
    result.addFolded(UInt64(size.width))
    result.addFolded(UInt64(size.height))
    image.pixels.withUnsafeBytes { bytes in
      let whole = bytes.count & ~7
      for offset in stride(from: 0, to: whole, by: 8) {
        result.addFolded(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
      for offset in whole..<bytes.count { result.addFolded(UInt64(bytes[offset])) }
    }
    return result.value
  }
}
