/// Where things lie in the bytes of an XMP packet.
struct XMPLayout: Equatable, Sendable {
  static let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  static let dublinCore = "http://purl.org/dc/elements/1.1/"

  /// An item of a property: a text in a language.
  struct Item: Equatable, Sendable {
    let language: String
    var text = ""
    /// From its start tag to its end tag.
    var whole: Range<Int>
  }

  /// A `dc:description`.
  struct Property: Equatable, Sendable {
    /// From its start tag to its end tag.
    var whole: Range<Int>
    /// The start tag of its `rdf:Alt` (or other list).
    var alternatives: Range<Int>?
    var items: [Item] = []
    /// What it says outside of a list.
    var text = ""
  }

  /// The start tag of `rdf:RDF`, and its end tag.
  fileprivate(set) var rdfTag, rdfEnd: Range<Int>
  /// What the packet is about: the photo that holds it, if empty.
  fileprivate(set) var about = ""
  /// All `dc:description` of the packet; more than one is an error of whoever wrote it.
  fileprivate(set) var descriptions: [Property] = []
  /// Whether `dc:description` is written as an attribute, which it may not be.
  fileprivate(set) var hasAttribute = false

  /// Reads a packet.
  /// - Throws: `MetadataError`.
  init(of bytes: [UInt8]) throws(MetadataError) {
    let scan = XMPScan()
    try XMLReader.read(bytes, into: scan)
    guard let layout = scan.layout else { throw MetadataError("XMP", "expected rdf:RDF, found none") }
    self = layout
  }

  fileprivate init(rdfTag: Range<Int>) {
    self.rdfTag = rdfTag
    rdfEnd = rdfTag
  }
}

/// Finds them.
private final class XMPScan: XMLHandler {
  var layout: XMPLayout?
  private var path: [String] = []
  /// How many elements are around the first `rdf:RDF`, and whether its end was seen.
  private var (outside, isOver) = (0, false)

  private static let (rdf, description, property) = (
    XMPLayout.rdf + " RDF", XMPLayout.rdf + " Description", XMPLayout.dublinCore + " description"
  )

  /// The elements in `rdf:RDF`, from `rdf:Description` on; nil outside of it.
  private var inner: ArraySlice<String>? {
    layout == nil || isOver || path.count <= outside ? nil : path[(outside + 1)...]
  }

  private func isInProperty(_ inner: ArraySlice<String>) -> Bool {
    inner.count >= 2 && inner.first == Self.description && inner.dropFirst().first == Self.property
  }

  func start(_ name: String, attributes: [String: String], tag: Range<Int>) {
    path.append(name)
    if layout == nil, name == Self.rdf {
      layout = XMPLayout(rdfTag: tag)
      outside = path.count - 1
    }
    guard let inner else { return }
    if inner.count == 1, name == Self.description {
      let about = attributes[XMPLayout.rdf + " about"] ?? ""
      if layout?.about == "" { layout?.about = about }
      if attributes[Self.property] != nil { layout?.hasAttribute = true }
    }
    guard isInProperty(inner) else { return }
    switch inner.count {
    case 2: layout?.descriptions.append(XMPLayout.Property(whole: tag))
    case 3: change { if $0.alternatives == nil { $0.alternatives = tag } }
    case 4:
      let language = attributes["http://www.w3.org/XML/1998/namespace lang"] ?? ""
      change { $0.items.append(XMPLayout.Item(language: language, whole: tag)) }
    default: break
    }
  }

  func end(tag: Range<Int>) {
    if let inner {
      if inner.isEmpty {
        layout?.rdfEnd = tag
        isOver = true
      } else if isInProperty(inner) {
        let end = tag.upperBound
        if inner.count == 2 { change { $0.whole = $0.whole.lowerBound..<end } }
        if inner.count == 4 {
          change { $0.items[$0.items.count - 1].whole = $0.items[$0.items.count - 1].whole.lowerBound..<end }
        }
      }
    }
    path.removeLast()
  }

  func text(_ text: String) {
    guard let inner, isInProperty(inner) else { return }
    if inner.count == 2 { change { $0.text += text } }
    if inner.count == 4 { change { $0.items[$0.items.count - 1].text += text } }
  }

  private func change(_ body: (inout XMPLayout.Property) -> Void) {
    guard let last = layout?.descriptions.indices.last else { return }
    body(&layout!.descriptions[last])
  }
}
