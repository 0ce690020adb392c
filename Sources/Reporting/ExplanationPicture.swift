internal import Foundation
internal import Imaging
internal import Support

/// What `ExplanationPage` shows, as one PNG: for each word of a caption the photo, bright where the model looked.
public struct ExplanationPicture: Sendable {
  private var parts: [Part] = []

  /// A picture of nothing.
  public init() {}

  /// The most photos of a picture.
  public static let limit = 20
  /// The most rows of pixels, which a few very long captions would take.
  private static let heightLimit = 60_000

  /// Whether there is no more room.
  public var isFull: Bool { parts.count >= Self.limit }

  /// Adds a photo, unless the picture is full or its caption too long for what is left.
  public mutating func add(_ photo: ExplainedPhoto) {
    let part = Part(photo)
    if !isFull && height + part.height <= Self.heightLimit { parts.append(part) }
  }

  private var height: Int { Self.gap + parts.reduce(0) { $0 + $1.height } }

  /// Writes the picture.
  /// - Throws: `ReportError`.
  public func write(to path: String) throws(ReportError) {
    guard let bytes = image.png() else {
      throw .file(FileError(path: path, action: "write", reason: "no memory for the picture"))
    }
    try Report.write(to: path) { try $0.write(bytes) }
  }

  /// Photos side by side, the longest side of one, and what is between them.
  private static let (columns, side, gap) = (6, 224, 16)
  private static let width = gap + columns * (side + gap)
  private static let (paper, ink, soft): (Canvas.Grey, Canvas.Grey, Canvas.Grey) = (252, 24, 96)

  /// A photo's part of the picture.
  private struct Part: Sendable {
    let photo: ExplainedPhoto
    let image: RGBImage
    let looks: [ExplainedPhoto.Look]
    let title: [String]

    init(_ photo: ExplainedPhoto) {
      self.photo = photo
      image = photo.image.thumbnail(side: ExplanationPicture.side)
      looks = photo.looks
      title = ExplanationPicture.lines(
        photo.caption.text, width: ExplanationPicture.width - 2 * ExplanationPicture.gap)
    }

    /// Of a row of photos and what is written under them.
    var rowHeight: Int { image.height + 2 * (PixelFont.height + 3) + ExplanationPicture.gap }
    var rows: Int { (looks.count + ExplanationPicture.columns - 1) / ExplanationPicture.columns }
    var height: Int {
      (title.count + 1) * (PixelFont.height + 3) + rows * rowHeight + 2 * ExplanationPicture.gap
    }
  }

  /// The picture.
  var image: RGBImage {
    var canvas = Canvas(width: Self.width, height: height, Self.paper)
    var top = Self.gap
    for part in parts {
      Self.draw(part, top: top, on: &canvas)
      top += part.height
    }
    return canvas.image
  }

  private static func draw(_ part: Part, top: Int, on canvas: inout Canvas) {
    var y = top
    for line in part.title {
      canvas.write(line, x: gap, y: y, ink)
      y += PixelFont.height + 3
    }
    let facts = String(format: "; log-prob %.2f", Double(part.photo.caption.logProb))
    canvas.write(part.photo.name.printable() + facts, x: gap, y: y, soft)
    y += PixelFont.height + 3 + gap
    let grid = part.photo.explanation
    for (place, look) in part.looks.enumerated() {
      let x = gap + place % columns * (side + gap)
      let row = y + place / columns * part.rowHeight
      let size = part.image.size
      canvas.draw(part.image, x: x, y: row) {
        let brightness = interpolated(
          look.brightness, rows: grid.rows, columns: grid.columns,
          (Float($0) + 0.5) / Float(size.height), (Float($1) + 0.5) / Float(size.width))
        return 1 - ExplainedPhoto.darkest * (1 - brightness)
      }
      let under = row + part.image.height + 4
      canvas.write(clipped(look.word.printable()), x: x, y: under, ink)
      canvas.write(clipped(look.facts), x: x, y: under + PixelFont.height + 2, soft)
    }
  }

  /// The value of a grid between the middles of its cells, at a share of its height and width.
  static func interpolated(_ values: [Float], rows: Int, columns: Int, _ down: Float, _ right: Float) -> Float
  {
    func between(_ share: Float, _ count: Int) -> (first: Int, second: Int, part: Float) {
      let place = min(Float(count - 1), max(0, share * Float(count) - 0.5))
      let first = Int(place)
      return (first, min(count - 1, first + 1), place - Float(first))
    }
    let (row, column) = (between(down, rows), between(right, columns))
    func line(_ row: Int) -> Float {
      let (first, second) = (values[row * columns + column.first], values[row * columns + column.second])
      return first + (second - first) * column.part
    }
    return line(row.first) + (line(row.second) - line(row.first)) * row.part
  }

  /// What fits under a photo.
  private static func clipped(_ text: String) -> String {
    let most = side / PixelFont.width
    return text.count <= most ? text : text.prefix(most - 1) + "…"
  }

  /// A text in lines of so many pixels, broken between words.
  static func lines(_ text: String, width: Int) -> [String] {
    let most = max(1, width / PixelFont.width)
    var lines: [String] = [""]
    for word in text.printable().split(separator: " ") {
      if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > most {
        lines.append("")
      }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
  }
}
