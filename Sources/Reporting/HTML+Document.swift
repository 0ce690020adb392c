extension HTML {
  /// A whole document in the reports' style, which fetches nothing.
  /// - Parameters:
  ///   - images: where pictures may come from, as a Content-Security-Policy says it.
  ///   - connections: where its script may ask, in the same way; nowhere unless given.
  ///   - style: rules beside the common ones.
  static func document(
    title: String, images: String, connections: String? = nil, style: String = "", body: String
  ) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src \(images); style-src 'unsafe-inline'; script-src 'unsafe-inline'\(connections.map { "; connect-src \($0)" } ?? "")">
    <link rel="icon" href="data:,">
    <title>\(escaped(title))</title>
    <style>
    \(PageStyle.text)
    \(style)
    </style>
    </head>
    <body>
    \(body)
    </body>
    </html>

    """
  }

  /// A table; its rows' first cells are their names. One without column names has no head.
  /// - Parameter marked: the row that stands out.
  static func table(_ caption: String, _ columns: [String], _ rows: [[String]], marked: Int? = nil) -> String
  {
    let isBare = columns.allSatisfy(\.isEmpty)
    let head = columns.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
    let body = rows.enumerated().map { number, row in
      "<tr\(number == marked ? " class=\"marked\"" : "")><th scope=\"row\">\(escaped(row[0]))</th>"
        + row.dropFirst().map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }
    return "<div class=\"scroll\" tabindex=\"0\"><table><caption>\(escaped(caption))</caption>"
      + (isBare ? "" : "<thead><tr>\(head)</tr></thead>") + "<tbody>\(body.joined())</tbody></table></div>"
  }
}
