internal import Foundation
internal import Imaging
internal import Language
internal import Models
internal import Support

/// A page of photos with their captions, and for each word where the model looked, bright on a dark photo (as Xu et al.
/// 2015 draw it). It needs nothing from the network.
public struct ExplanationPage: Sendable {
  private let title: String
  private var photos: [ExplainedPhoto] = []

  /// A page without photos.
  /// - Parameter model: the model's file.
  public init(model: String) {
    title = "Where \(model.split(separator: "/").last.map(String.init) ?? model) looks"
  }

  /// The most photos of a page.
  public static let limit = 200

  /// Whether there is no more room.
  public var isFull: Bool { photos.count >= Self.limit }

  /// Adds a photo, unless the page is full.
  public mutating func add(_ photo: ExplainedPhoto) {
    if !isFull { photos.append(photo) }
  }

  /// Writes the page.
  /// - Throws: `ReportError`.
  public func write(to path: String) throws(ReportError) {
    let html = html
    try Report.write(to: path) { try $0.write(html) }
  }

  /// The page.
  var html: String {
    let pictures = photos.enumerated().map { number, photo in
      let bytes = photo.image.jpeg(quality: 80) ?? []
      return
        ".p\(number) { background-image: url(data:image/jpeg;base64,\(Data(bytes).base64EncodedString())); }"
    }
    return HTML.document(
      title: title, images: "data:", style: Self.style + "\n" + pictures.joined(separator: "\n"),
      body: """
        <header><h1>\(HTML.escaped(title))</h1>
        <p class="subtitle">\(HTML.escaped(Self.subtitle(photos)))</p></header>
        <main>
        \(photos.enumerated().map(section).joined(separator: "\n"))
        </main>
        """)
  }

  private static func subtitle(_ photos: [ExplainedPhoto]) -> String {
    let kinds = Set(photos.map(\.explanation.kind))
    let attention = "Bright is where the attention of the model is when it says a word."
    let occlusion =
      "Bright is what the word needs: where it is covered, the word becomes less likely. The number is by how many nats at most."
    return (kinds.contains(.attention) ? [attention] : []).joined()
      + (kinds.contains(.occlusion) ? occlusion : "")
  }

  private func section(_ number: Int, _ photo: ExplainedPhoto) -> String {
    let words = photo.looks.map { figure(number, photo, $0) }
    return """
      <section><h2>\(HTML.escaped(photo.caption.text))</h2>
      <p class="note">\(HTML.escaped(photo.name)); log-prob \(String(format: "%.2f", Double(photo.caption.logProb)))</p>
      <div class="looks">\(words.joined())</div></section>
      """
  }

  private func figure(_ number: Int, _ photo: ExplainedPhoto, _ look: ExplainedPhoto.Look) -> String {
    let (rows, columns) = (photo.explanation.rows, photo.explanation.columns)
    let cells = look.brightness.enumerated().map { cell, brightness in
      "<rect x=\"\(cell % max(1, columns))\" y=\"\(cell / max(1, columns))\" width=\"1.02\" height=\"1.02\" "
        + "opacity=\"\(String(format: "%.2f", Double(ExplainedPhoto.darkest * (1 - brightness))))\"/>"
    }
    let shown = HTML.escaped(look.word)
    return """
      <figure class="look"><div class="p p\(number)" role="img" aria-label="Where the model looks for \(shown)">\
      <svg viewBox="0 0 \(columns) \(rows)" preserveAspectRatio="none">\(cells.joined())</svg></div>
      <figcaption>\(shown) <span class="share">\(look.facts)</span></figcaption></figure>
      """
  }

  private static let style = """
    .looks { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1rem; }
    .look .p { aspect-ratio: 1; background-size: 100% 100%; border-radius: 4px; overflow: hidden; }
    .look svg { width: 100%; height: 100%; filter: blur(7px); transform: scale(1.06); }
    .look figcaption { margin: .35rem 0 0; font: 600 1rem/1.3 var(--serif); overflow-wrap: anywhere; }
    .share { display: block; color: var(--soft); font: 400 .82rem/1.3 var(--sans); }
    """
}
