/// A page of sections with plots and tables, which needs nothing from the network.
public struct PlotPage: Sendable {
  /// A part of it.
  public struct Section: Sendable {
    /// Its heading, and what there is to see.
    public let title, note: String
    /// What it shows.
    public let lines: [LinePlot]
    /// The same, after the lines.
    public let points: [ScatterPlot]
    /// A table: its caption, its columns' names, and its rows; nil where there is none.
    public let table: Table?

    /// A section.
    public init(
      _ title: String, note: String, lines: [LinePlot] = [], points: [ScatterPlot] = [], table: Table? = nil
    ) {
      self.title = title
      self.note = note
      self.lines = lines
      self.points = points
      self.table = table
    }
  }

  /// Rows of text.
  public struct Table: Sendable {
    /// What it is of.
    public let caption: String
    /// The columns' names, the first one's of the rows' names.
    public let columns: [String]
    /// A text a column each.
    public let rows: [[String]]

    /// A table.
    public init(_ caption: String, _ columns: [String], _ rows: [[String]]) {
      precondition(rows.allSatisfy { $0.count == columns.count })
      self.caption = caption
      self.columns = columns
      self.rows = rows
    }

    /// The table, its numbers' signs as people write them.
    var html: String { HTML.table(caption, columns, rows) }
  }

  private let title, subtitle: String
  private let sections: [Section]

  /// A page.
  public init(title: String, subtitle: String, _ sections: [Section]) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections
  }

  /// Writes the page.
  /// - Throws: `ReportError`.
  public func write(to path: String) throws(ReportError) {
    let html = html
    try Report.write(to: path) { try $0.write(html) }
  }

  /// The page.
  var html: String {
    let sections = sections.map { section in
      """
      <section><h2>\(HTML.escaped(section.title))</h2>
      <p class="note">\(HTML.escaped(section.note))</p>
      \(section.table?.html ?? "")
      <div class="charts">\(section.lines.map(\.figure).joined())\(section.points.map(\.figure).joined())</div></section>
      """
    }
    return HTML.document(
      title: title, images: "data:", style: PlotStyle.text,
      body: """
        <header><h1>\(HTML.escaped(title))</h1>
        <p class="subtitle">\(HTML.escaped(subtitle))</p></header>
        <main>
        \(sections.joined(separator: "\n"))
        </main>
        """)
  }
}

/// The colours of lines.
enum PlotStyle {
  static let text = """
    :root { --c0: #1f6f8b; --c1: #b8532d; --c2: #4d7d2f; --c3: #7a4fa3; --c4: #a8811a; --c5: #c2417b; --c6: #5d646d; --c7: #2f5fc4; }
    @media (prefers-color-scheme: dark) {
      :root { --c0: #6cb9d2; --c1: #e8926c; --c2: #9bc97a; --c3: #bd9be0; --c4: #dcbb5c; --c5: #ee8fb6; --c6: #a3abb3; --c7: #8fb0f5; }
    }
    .line { fill: none; stroke-width: 1.7; stroke-linejoin: round; }
    .line.dashed { stroke-dasharray: 5 3; }
    .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); }
    .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); } .c6 { stroke: var(--c6); } .c7 { stroke: var(--c7); }
    .key.stroke.c0 { border-color: var(--c0); } .key.stroke.c1 { border-color: var(--c1); }
    .key.stroke.c2 { border-color: var(--c2); } .key.stroke.c3 { border-color: var(--c3); }
    .key.stroke.c4 { border-color: var(--c4); } .key.stroke.c5 { border-color: var(--c5); }
    .key.stroke.c6 { border-color: var(--c6); } .key.stroke.c7 { border-color: var(--c7); }
    .key.stroke.dashed { border-top-style: dashed; }
    circle.dot { fill: var(--accent); fill-opacity: .6; }
    section > .scroll { margin-bottom: 1.5rem; }
    .item { white-space: nowrap; }
    """
}
