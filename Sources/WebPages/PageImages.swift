/// The images of an HTML page, and the page with texts in their places: all other bytes stay as they are.
public struct PageImages: Sendable {
  /// An `img` element.
  public struct Image: Sendable, Equatable {
    /// The line that its tag begins in, 1…
    public let line: Int
    /// Where its picture is, as the page says after character references; nil where it says nothing.
    public let source: String?
    /// Whether it has an `alt`, an empty one included: that says that the picture means nothing.
    public let hasAlt: Bool
    /// Where an attribute may be put.
    fileprivate let place: Int
  }

  /// The images, in order.
  public let images: [Image]
  private let bytes: [UInt8]

  /// The images of a page.
  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var (line, counted) = (1, 0)
    images = HTMLTags(bytes).lazy.filter { $0.name == "img" }.map { tag in
      line += bytes[counted..<tag.endOfName].count { $0 == UInt8(ascii: "\n") }
      counted = tag.endOfName
      return Image(
        line: line, source: tag.value(of: "src").map { CharacterReferences.text(bytes[$0]) },
        hasAlt: tag.value(of: "alt") != nil, place: tag.endOfName)
    }
  }

  /// The page with these texts as `alt` of its images, nil where an image stays as it is. What is not ASCII is written as
  /// character references, so that the page's encoding does not matter.
  public func filled(_ texts: [String?]) -> [UInt8] {
    precondition(texts.count == images.count)
    var result: [UInt8] = []
    var copied = 0
    for (image, text) in zip(images, texts) {
      guard let text, !image.hasAlt else { continue }
      result += bytes[copied..<image.place]
      result += Array(" alt=\"\(CharacterReferences.attribute(text))\"".utf8)
      copied = image.place
    }
    return result + bytes[copied...]
  }
}
