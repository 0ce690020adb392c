internal import Support

/// A picture's sides in pixels.
public struct ImageSize: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int

  /// Sides of at least 1.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// All of them.
  public var pixels: Int { width * height }

  /// The same, if they are at most so many, else as many in proportion.
  func reduced(to most: Int) -> ImageSize {
    guard pixels > most else { return self }
    let scale = (Double(most) / Double(pixels)).squareRoot()
    func scaled(_ side: Int, atMost limit: Int) -> Int {
      max(1, min(limit, Int(saturating: Double(side) * scale)))
    }
    let height = scaled(self.height, atMost: most)
    return ImageSize(width: scaled(width, atMost: most / height), height: height)
  }
}

/// What is seen of a picture: a part of it, perhaps mirrored.
public struct ImageCrop: Sendable, Equatable {
  /// Its columns and rows, in the upright picture.
  public let columns, rows: Range<Int>
  /// Whether left and right are then exchanged.
  public let isMirrored: Bool

  /// A part of a picture, within it.
  public init(columns: Range<Int>, rows: Range<Int>, isMirrored: Bool = false) {
    self.columns = columns
    self.rows = rows
    self.isMirrored = isMirrored
  }

  /// All of a picture.
  public init(all size: ImageSize) { self.init(columns: 0..<size.width, rows: 0..<size.height) }

  /// The part's own size.
  public var size: ImageSize { ImageSize(width: columns.count, height: rows.count) }
}

/// A size to which a picture is resized, and the part of the result that is wanted.
struct ResizedWindow: Equatable {
  let size: ImageSize
  let columns, rows: Range<Int>

  init(_ size: ImageSize, columns: Range<Int>, rows: Range<Int>) {
    self.size = size
    self.columns = columns
    self.rows = rows
  }

  init(all size: ImageSize) { self.init(size, columns: 0..<size.width, rows: 0..<size.height) }
}

/// Turns, crops and resizes a picture while its rows come, in memory for a few rows and the result. As on the upright
/// picture, the pass along its rows comes first: the bytes are the same.
final class RowResampler: RowSink {
  private let columns, rows: TriangleFilter
  private let swapsSides: Bool
  /// Across the stored rows: `rows`, or `columns` where sides are swapped.
  private var across: LineFilter
  /// The stored columns that are needed.
  private let needed: Range<Int>
  /// One line after the pass along it, where that comes first.
  private var narrowed: [UInt8]
  private var pixels: [UInt8]

  /// - Parameters:
  ///   - stored: the picture's size as it lies in the file.
  ///   - scale: at which its rows come.
  ///   - crop: what is seen of the upright picture.
  init(
    stored: ImageSize, at scale: DecodingScale = .whole, _ orientation: Orientation, crop: ImageCrop,
    to window: ResizedWindow
  ) {
    swapsSides = orientation.swapsSides
    let upright = orientation.upright(stored)
    columns = TriangleFilter(
      Line(pixels: upright.width, scale, flips: orientation.flipsColumns), crop.columns,
      mirrored: crop.isMirrored, to: window.size.width, positions: window.columns)
    rows = TriangleFilter(
      Line(pixels: upright.height, scale, flips: orientation.flipsRows), crop.rows, mirrored: false,
      to: window.size.height, positions: window.rows)
    needed = swapsSides ? rows.sources : columns.sources
    across = LineFilter(
      swapsSides ? columns : rows, length: (swapsSides ? needed.count : columns.taps.count) * 3)
    narrowed = [UInt8](repeating: 0, count: columns.taps.count * 3)
    pixels = [UInt8](repeating: 0, count: columns.taps.count * rows.taps.count * 3)
  }

  func take(_ row: UnsafePointer<UInt8>) {
    guard across.needsNext else { return across.skip() }
    if swapsSides {
      turn(row + needed.lowerBound * 3)
    } else {
      narrow(row)
    }
  }

  /// The usual case: along the row, then across.
  private func narrow(_ row: UnsafePointer<UInt8>) {
    let stride = columns.taps.count * 3
    narrowed.withUnsafeMutableBufferPointer { narrowed in
      let line = narrowed.baseAddress!
      columns.filter(row, from: 0) { place, red, green, blue in
        line[place * 3] = red
        line[place * 3 + 1] = green
        line[place * 3 + 2] = blue
      }
      pixels.withUnsafeMutableBufferPointer { pixels in
        across.take(line) { (pixels.baseAddress! + $0 * stride).update(from: $1, count: stride) }
      }
    }
  }

  /// A stored row is a column of the picture: across first, and then along what is done.
  private func turn(_ row: UnsafePointer<UInt8>) {
    let width = columns.taps.count
    pixels.withUnsafeMutableBufferPointer { pixels in
      across.take(row) { column, line in
        rows.filter(line, from: needed.lowerBound) { place, red, green, blue in
          let at = (place * width + column) * 3
          pixels[at] = red
          pixels[at + 1] = green
          pixels[at + 2] = blue
        }
      }
    }
  }

  var image: RGBImage { RGBImage(width: columns.taps.count, height: rows.taps.count, pixels: pixels) }
}

/// A line of a picture as it is decoded.
private struct Line {
  /// Of the whole picture.
  let pixels: Int
  let scale: DecodingScale
  /// Whether the upright picture runs against it.
  let flips: Bool

  init(pixels: Int, _ scale: DecodingScale, flips: Bool) {
    self.pixels = pixels
    self.scale = scale
    self.flips = flips
  }

  /// Where some pixels of the upright picture lie among the samples.
  func place(of span: Range<Int>) -> Range<Double> {
    flips
      ? scale.place(pixels - span.upperBound)..<scale.place(pixels - span.lowerBound)
      : scale.place(span.lowerBound)..<scale.place(span.upperBound)
  }
}

extension TriangleFilter {
  /// The filter from a part of an upright picture, perhaps mirrored, over the samples of the line in which it lies.
  fileprivate init(
    _ line: Line, _ span: Range<Int>, mirrored: Bool, to outputCount: Int, positions: Range<Int>
  ) {
    let place = line.place(of: span)
    let samples = Int(place.lowerBound)..<Int(place.upperBound.rounded(.up))
    let (first, end) = (Double(samples.lowerBound), Double(samples.upperBound))
    let isReversed = line.flips != mirrored
    // From the end at which the output begins.
    let part =
      isReversed
      ? end - place.upperBound..<end - place.lowerBound : place.lowerBound - first..<place.upperBound - first
    self = TriangleFilter(from: samples.count, span: part, to: outputCount, positions: positions)
      .placed(in: samples, reversed: isReversed)
  }
}

/// Keeps all rows: the whole picture.
final class RowCollector: RowSink {
  private let size: ImageSize
  private let orientation: Orientation
  private var pixels: [UInt8] = []

  init(_ stored: ImageSize, _ orientation: Orientation) {
    size = stored
    self.orientation = orientation
    pixels.reserveCapacity(stored.pixels * 3)
  }

  func take(_ row: UnsafePointer<UInt8>) {
    pixels.append(contentsOf: UnsafeBufferPointer(start: row, count: size.width * 3))
  }

  var image: RGBImage {
    RGBImage(width: size.width, height: size.height, pixels: pixels).oriented(orientation)
  }
}
