/// A file's name or path, compared by its bytes as file systems compare names. To `String`, é in one character and é
/// in two are the same.
public struct ExactName: Hashable, Sendable {
  /// The name.
  public let text: String

  /// A name.
  public init(_ text: String) { self.text = text }

  /// Whether the bytes are the same.
  public static func == (one: Self, other: Self) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
