/// Takes the parts of an XML document in order. Ranges are of the document's bytes.
protocol XMLHandler: AnyObject {
  /// An element begins. Names are a namespace's URI, a space, and the local name; those of no namespace the latter alone.
  /// - Parameter tag: the start tag.
  func start(_ name: String, attributes: [String: String], tag: Range<Int>)
  /// The element that began last ends.
  /// - Parameter tag: its end tag; empty, after the start tag, for an element such as `<a/>`.
  func end(tag: Range<Int>)
  /// Text of the present element, or a part of it.
  func text(_ text: String)
}

/// Reads XML. A document type declaration is refused: entities that grow and files that are fetched come of it alone.
enum XMLReader {
  /// The largest document.
  static let largest = 16 << 20
  /// The deepest element.
  static let deepest = 200

  /// Whether the library that reads is installed.
  static var isAvailable: Bool { Expat.shared != nil }

  /// Reads a document of UTF-8.
  /// - Throws: `MetadataError`: what is no XML, has a document type, is in another encoding, too large or too deep.
  static func read(_ bytes: [UInt8], into handler: any XMLHandler) throws(MetadataError) {
    guard let expat = Expat.shared else {
      throw MetadataError("XMP", "reading it needs the library expat (on Debian the package libexpat1)")
    }
    guard bytes.count <= largest else {
      throw MetadataError("XMP", "expected at most \(largest) bytes, found \(bytes.count)")
    }
    // A mark of another encoding would lead the parser to it.
    guard !bytes.starts(with: [0xFE, 0xFF]), !bytes.starts(with: [0xFF, 0xFE]) else {
      throw MetadataError("XMP", "expected UTF-8, found UTF-16")
    }
    guard let parser = expat.create("UTF-8", CChar(bitPattern: UInt8(ascii: " "))) else {
      throw MetadataError("XMP", "out of memory")
    }
    defer { expat.free(parser) }
    let reading = Reading(expat, parser, handler)
    // The parser calls back in `parse` alone, while this function holds the object.
    expat.setContext(parser, Unmanaged.passUnretained(reading).toOpaque())
    expat.setElements(
      parser, { Reading.of($0)?.start($1, $2) }, { context, _ in Reading.of(context)?.end() })
    expat.setText(parser) { Reading.of($0)?.text($1, $2) }
    expat.setDoctype(parser) { context, _, _, _, _ in
      Reading.of(context)?.refuse("a document type declaration, which XMP has not")
    }
    expat.setDeclaration(parser) { context, _, encoding, _ in
      guard let encoding else { return }
      let name = String(cString: encoding)
      guard !["UTF-8", "US-ASCII"].contains(name.uppercased()) else { return }
      Reading.of(context)?.refuse("expected UTF-8, found the encoding \(name)")
    }
    let status = withExtendedLifetime(reading) {
      bytes.withUnsafeBytes {
        expat.parse(parser, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count), 1)
      }
    }
    if let refusal = reading.refusal { throw MetadataError("XMP", refusal) }
    guard status == 1 else {
      let text = expat.errorText(expat.errorCode(parser)).map { String(cString: $0) } ?? "no XML"
      throw MetadataError("XMP", "line \(expat.line(parser)): \(text)")
    }
  }
}

/// What the parser's functions are called with.
private final class Reading {
  private let expat: Expat
  private let parser: Expat.Parser
  private let handler: any XMLHandler
  private var depth = 0
  /// Why it was stopped.
  private(set) var refusal: String?

  init(_ expat: Expat, _ parser: Expat.Parser, _ handler: any XMLHandler) {
    self.expat = expat
    self.parser = parser
    self.handler = handler
  }

  static func of(_ context: Expat.Context?) -> Reading? {
    context.map { Unmanaged<Reading>.fromOpaque($0).takeUnretainedValue() }
  }

  func refuse(_ reason: String) {
    guard refusal == nil else { return }
    refusal = "line \(expat.line(parser)): \(reason)"
    _ = expat.stop(parser, 0)
  }

  private var event: Range<Int> {
    let start = expat.byteIndex(parser)
    return start..<start + Int(expat.byteCount(parser))
  }

  func start(_ name: Expat.Text?, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?) {
    depth += 1
    guard refusal == nil, let name else { return }
    guard depth <= XMLReader.deepest else {
      return refuse("expected at most \(XMLReader.deepest) elements in each other")
    }
    var found: [String: String] = [:]
    var place = 0
    while let key = attributes?[place], let value = attributes?[place + 1] {
      found[String(cString: key)] = String(cString: value)
      place += 2
    }
    handler.start(String(cString: name), attributes: found, tag: event)
  }

  func end() {
    depth -= 1
    if refusal == nil { handler.end(tag: event) }
  }

  func text(_ text: Expat.Text?, _ count: Int32) {
    guard refusal == nil, let text else { return }
    let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
    handler.text(String(decoding: bytes, as: UTF8.self))
  }
}
