public import Imaging
public import Kernels
internal import Support
internal import Synchronization

/// Photos in one file, decoded once and no finer than needed, for training to take other parts of them at every step.
///
/// The file is safetensors: `photos` U8 [N, 4 + 3·pixels], a row's first four bytes its photo's width and height (little
/// endian), then its samples, row by row, red, green and blue; and what `CachedRows` says of each row. Photos whose file
/// has changed count as missing. Not for two threads at once, but for `image`.
public final class ReducedPhotoCache {
  /// The most pixels of a photo.
  public let pixels: Int
  private let rows: CachedRows

  /// Bytes before the samples.
  static let headerSize = 4
  /// The tensor in the file.
  static let tensor = "photos"
  /// What damaged rows are, for people.
  static let damage = "no size of a photo"

  /// The rows' names (N).
  public var names: [String] { rows.names }
  /// The photos of the rows, where they are known.
  public var files: [String]? { rows.files }
  /// What was found out of date or damaged when the file was opened, for people.
  public var warnings: [String] { rows.warnings }

  /// Opens the file, or creates it at its full size when there is none.
  /// - Parameters:
  ///   - key: how the photos are read.
  ///   - names: the rows.
  ///   - files: their photos.
  ///   - pixels: the most that is kept of one.
  ///   - isFilledElsewhere: whether another process makes what rows are missing; here they stay so.
  /// - Throws: `MapCacheError` when the file can't be read or made, is something else, holds other photos, or is being
  ///   written by another process.
  public init(
    path: String, key: String, names: [String], files: [String], pixels: Int,
    isFilledElsewhere: Bool = false
  ) throws(MapCacheError) {
    self.pixels = pixels
    rows = try CachedRows(
      path: path, key: key, names: names, files: files,
      kind: .init(tensor: Self.tensor, types: ["U8"], width: Self.width(pixels: pixels), scalarSize: 1))
    try rows.check(damage: Self.damage, isFilledElsewhere: isFilledElsewhere) { [rows] in
      Self.size(rows, $0, pixels: pixels) != nil
    }
  }

  /// Bytes of a row.
  public static func width(pixels: Int) -> Int { headerSize + 3 * pixels }

  /// What row `row` holds.
  public func status(of row: Int) -> MapCache.Status { rows.status(of: row) }

  /// The rows without a photo that are worth trying, in order; the failed ones among them.
  public var pending: [Int] { rows.pending }

  /// The photo of a row that is done.
  public func image(of row: Int) -> RGBImage {
    precondition(status(of: row) == .done, "row \(row) holds no photo")
    // What was there when the file was opened may have been destroyed since: then a grey dot takes its place.
    let grey = RGBImage(width: 1, height: 1, pixels: [128, 128, 128])
    guard let size = Self.size(rows, row, pixels: pixels) else { return grey }
    var isRead = false
    let bytes = [UInt8](unsafeUninitializedCapacity: Self.headerSize + 3 * size.pixels) { buffer, count in
      count = buffer.count
      isRead = rows.read(row, into: UnsafeMutableRawBufferPointer(buffer))
    }
    guard isRead else { return grey }
    return RGBImage(
      width: size.width, height: size.height, pixels: Array(bytes.dropFirst(Self.headerSize)))
  }

  /// The size that a row says its photo has; nil: it has none, or one that would not fit.
  private static func size(_ rows: CachedRows, _ row: Int, pixels: Int) -> ImageSize? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: headerSize) { header in
      guard rows.read(row, into: UnsafeMutableRawBufferPointer(header)) else { return nil }
      return size(in: UnsafeRawBufferPointer(header), pixels: pixels)
    }
  }

  /// The size in a row's first bytes.
  static func size(in header: UnsafeRawBufferPointer, pixels: Int) -> ImageSize? {
    guard header.count == headerSize else { return nil }
    func side(_ at: Int) -> Int { Int(header[at]) | Int(header[at + 1]) << 8 }
    let size = ImageSize(width: side(0), height: side(2))
    return size.pixels > 0 && size.pixels <= pixels ? size : nil
  }

  /// Writes a row; `flush` makes it count.
  public func store(_ image: RGBImage, row: Int) throws(MapCacheError) {
    precondition(image.size.pixels <= pixels && max(image.width, image.height) <= 0xFFFF, "\(image.size)")
    let sides = [image.width, image.height].flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let bytes = sides + image.pixels
    try bytes.span.bytes.withUnsafeBytes { (bytes) throws(MapCacheError) in
      try rows.store(bytes, row: row)
    }
  }

  /// Makes sure that the rows so far are on the disk, then marks them.
  public func flush() throws(MapCacheError) { try rows.flush() }

  /// Photos that are decoded between two reports of progress, and how many times that until they are made to last.
  private static let together = (photos: 64, flushed: 16)

  /// Decodes the photos that are missing, several at once.
  /// - Parameters:
  ///   - reader: how they are read; it is told what is odd about them, in their order.
  ///   - progress: called with the number of rows done, every few photos.
  ///   - failed: called with the path and reason of each photo that can't be read; its row is marked.
  /// - Throws: `MapCacheError`; what `progress` throws. The rows that were done are kept.
  public func fill(
    reader: ImageReader, pool: ThreadPool = .shared, progress: (Int) throws -> Void,
    failed: (String, String) -> Void
  ) throws {
    typealias Reading = (image: RGBImage, warning: String?)
    let pending = rows.pending
    guard let files else { return }
    defer { try? flush() }
    for (number, start) in stride(from: 0, to: pending.count, by: Self.together.photos).enumerated() {
      let part = pending[start..<min(pending.count, start + Self.together.photos)]
      let results = Mutex([Result<Reading, ImageError>?](repeating: nil, count: part.count))
      pool.run(part.count) { piece in
        let result = Result { () throws(ImageError) -> Reading in
          try reader.reduced(contentsOf: files[part[start + piece]], pixels: pixels)
        }
        results.withLock { $0[piece] = result }
      }
      for (row, result) in zip(part, results.withLock { $0 }) {
        switch result {
        case .success(let reading):
          if let warning = reading.warning { reader.warn(warning) }
          try store(reading.image, row: row)
        case .failure(let error):
          rows.markFailed(row: row)
          failed(files[row], "\(error)")
        case nil: break
        }
      }
      if number % Self.together.flushed == Self.together.flushed - 1 { try flush() }
      try progress(part.endIndex)
    }
    try flush()
  }
}
