/// Metadata of a photo that can't be read or written; `description` names the part, what was expected and what was found.
public struct MetadataError: Error, Equatable, CustomStringConvertible {
  /// The part of the file: `XMP`, `IPTC`, `JPEG`, …
  public let part: String
  /// What is wrong.
  public let reason: String

  /// What is wrong with a part.
  init(_ part: String, _ reason: String) {
    self.part = part
    self.reason = reason
  }

  /// For instance `XMP: line 3: mismatched tag`.
  public var description: String { "\(part): \(reason)" }
}
