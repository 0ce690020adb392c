internal import Foundation
internal import Support

/// A text coloured by what single cells of a language model did as they read it, with what each follows (Karpathy, Johnson
/// & Li 2015), and how often gates are shut and open. It needs nothing from the network.
public struct CellsPage: Sendable {
  /// One cell.
  public struct Cell: Sendable {
    /// The heading: what it follows.
    public let title: String
    /// How well, in words.
    public let note: String
    /// What it did after each character of the part of the text that is shown, −1 to 1; beyond is as dark as that.
    public let activations: [Float]

    /// A cell, its activations one for each character of the text shown.
    public init(title: String, note: String, activations: [Float]) {
      self.title = title
      self.note = note
      self.activations = activations
    }
  }

  private let title, subtitle: String
  private let text: [Unicode.Scalar]
  private let cells: [Cell]
  private let table: PlotPage.Table
  private let saturation: [ScatterPlot]

  /// A page.
  /// - Parameters:
  ///   - text: the part of it that is shown; each cell has an activation for each character.
  ///   - table: what each property is followed by.
  ///   - saturation: the gates, a plot each; none of a cell that has none.
  public init(
    title: String, subtitle: String, text: [Unicode.Scalar], cells: [Cell], table: PlotPage.Table,
    saturation: [ScatterPlot]
  ) {
    precondition(cells.allSatisfy { $0.activations.count == text.count })
    self.title = title
    self.subtitle = subtitle
    self.text = text
    self.cells = cells
    self.table = table
    self.saturation = saturation
  }

  /// Writes the page.
  /// - Throws: `ReportError`.
  public func write(to path: String) throws(ReportError) {
    let html = html
    try Report.write(to: path) { try $0.write(html) }
  }

  /// The page.
  var html: String {
    let pictures = cells.map { cell in
      """
      <section><h2>\(HTML.escaped(cell.title))</h2>
      <p class="note">\(HTML.escaped(cell.note))</p>
      <div class="read" tabindex="0">\(Self.coloured(text, cell.activations))</div></section>
      """
    }
    let gates =
      saturation.isEmpty
      ? ""
      : """
      <section><h2>Gates</h2>
      <p class="note">How often each unit's gate is all but shut (left-saturated, below 0.1) and all but open \
      (right-saturated, above 0.9). A forget gate at the lower right remembers for long; units at the origin are never \
      far from the middle.</p>
      <div class="charts">\(saturation.map(\.figure).joined())</div></section>
      """
    return HTML.document(
      title: title, images: "data:", style: PlotStyle.text + "\n" + Self.style,
      body: """
        <header><h1>\(HTML.escaped(title))</h1>
        <p class="subtitle">\(HTML.escaped(subtitle))</p></header>
        <main>
        <section><h2>What cells follow</h2>
        <p class="note">A cell and its direction are chosen on the first half of the text; the numbers are of the second. \
        Correlation is Pearson's; AUC is the chance that the cell tells a character inside from one outside.</p>
        \(table.html)</section>
        \(pictures.joined(separator: "\n"))
        \(gates)
        </main>
        """)
  }

  /// Shades of each direction.
  static let shades = 6

  /// The text in runs of one colour.
  static func coloured(_ text: [Unicode.Scalar], _ activations: [Float]) -> String {
    var html = ""
    var start = 0
    while start < text.count {
      let shade = Self.shade(activations[start])
      var end = start + 1
      while end < text.count, Self.shade(activations[end]) == shade { end += 1 }
      var run = String.UnicodeScalarView()
      run.append(contentsOf: text[start..<end])
      let shown = HTML.escaped(
        String(run).replacing("\t", with: "    ").printable(keepingLines: true))
      html += shade == 0 ? shown : "<i class=\"\(shade < 0 ? "n" : "p")\(abs(shade))\">\(shown)</i>"
      start = end
    }
    return html
  }

  /// 0, or a number of shades of one direction.
  static func shade(_ activation: Float) -> Int {
    guard activation.isFinite else { return 0 }
    return Int((min(1, max(-1, activation)) * Float(shades)).rounded())
  }

  private static var style: String {
    let rules = (1...shades).flatMap { shade in
      [("n", "--warm"), ("p", "--accent")].map { name, colour in
        ".\(name)\(shade) { background: color-mix(in srgb, var(\(colour)) \(shade * 75 / shades)%, transparent); }"
      }
    }
    return rules.joined(separator: " ") + """

      .read { max-height: 30rem; overflow: auto; padding: 1rem; border: 1px solid var(--rule); border-radius: 6px;
        background: var(--card); font: .84rem/1.5 ui-monospace, "Liberation Mono", monospace; white-space: pre-wrap;
        overflow-wrap: anywhere; tab-size: 4; }
      .read i { font-style: normal; }
      """
  }
}
