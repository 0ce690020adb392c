internal import Foundation
internal import Support

/// The beginning of a text coloured by what one cell did as it read it, as an SVG for a document: what `CellsPage` shows of
/// a cell.
public struct CellPicture: Sendable {
  private let cell: CellsPage.Cell
  private let lines: [Line]

  /// A picture of a cell, with an activation for each character of the text.
  public init(_ cell: CellsPage.Cell, of text: [Unicode.Scalar]) {
    precondition(cell.activations.count == text.count)
    self.cell = cell
    var lines = [Line()]
    for (scalar, activation) in zip(text, cell.activations) {
      if scalar == "\n" {
        lines.append(Line())
        continue
      }
      let shown = scalar == "\t" ? "    " : String(scalar).printable()
      if lines[lines.count - 1].columns + shown.count > Self.columns { lines.append(Line()) }
      if lines.count > Self.lines { break }
      lines[lines.count - 1].append(shown, CellsPage.shade(activation))
    }
    self.lines = Array(lines.prefix(Self.lines))
  }

  /// Writes the picture.
  /// - Throws: `ReportError`.
  public func write(to path: String) throws(ReportError) {
    let svg = svg
    try Report.write(to: path) { try $0.write(svg) }
  }

  /// The most lines, and columns of one: what a document has room for.
  private static let (lines, columns) = (40, 100)
  /// Of a character, and of the paper around.
  private static let (width, height, margin) = (7.2, 16.0, 12.0)

  /// A line of the text, in runs of one shade.
  private struct Line {
    private(set) var text = ""
    private(set) var columns = 0
    private(set) var runs: [(start: Int, columns: Int, shade: Int)] = []

    mutating func append(_ shown: String, _ shade: Int) {
      if let last = runs.last, last.shade == shade {
        runs[runs.count - 1].columns += shown.count
      } else {
        runs.append((columns, shown.count, shade))
      }
      text += shown
      columns += shown.count
    }
  }

  /// The picture.
  var svg: String {
    let (width, height, margin) = (Self.width, Self.height, Self.margin)
    let side = 2 * margin + width * Double(Self.columns)
    let total = 2 * margin + height * Double(lines.count + 2)
    var body = ""
    for (number, line) in lines.enumerated() {
      let top = margin + height * Double(number + 2)
      for run in line.runs where run.shade != 0 {
        body +=
          "<rect x=\"\(Self.number(margin + width * Double(run.start)))\" y=\"\(Self.number(top))\" "
          + "width=\"\(Self.number(width * Double(run.columns)))\" height=\"\(Self.number(height))\" "
          + "class=\"\(run.shade < 0 ? "n" : "p")\(abs(run.shade))\"/>\n"
      }
      guard line.columns > 0 else { continue }
      body +=
        "<text x=\"\(Self.number(margin))\" y=\"\(Self.number(top + 12))\" "
        + "textLength=\"\(Self.number(width * Double(line.columns)))\">\(HTML.escaped(line.text))</text>\n"
    }
    let colours = (1...CellsPage.shades).flatMap { shade in
      [("n", "#c2571a"), ("p", "#1f6feb")].map { name, colour in
        ".\(name)\(shade) { fill: \(colour); fill-opacity: \(Self.number(0.75 * Double(shade) / Double(CellsPage.shades))); }"
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(side)) \(Self.number(total))" role="img">
      <title>\(HTML.escaped(cell.title.printable()))</title>
      <style>
      text { font: 12px "DejaVu Sans Mono", ui-monospace, monospace; fill: #1c1c1c; white-space: pre; }
      .title { font-family: sans-serif; }
      \(colours.joined(separator: " "))
      </style>
      <rect width="100%" height="100%" fill="#fcfcfc"/>
      <text class="title" x="\(Self.number(margin))" y="\(Self.number(margin + 12))">\
      \(HTML.escaped("\(cell.title). \(cell.note)".printable()))</text>
      \(body)</svg>

      """
  }

  private static func number(_ value: Double) -> String {
    let text = String(format: "%.2f", value)
    return text.hasSuffix(".00") ? String(text.dropLast(3)) : text
  }
}
