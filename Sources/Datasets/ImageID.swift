/// An image's id as a file has it: an integer of 64 bits, or text such as `coco_391895`. The text of an integer is the
/// integer.
public enum ImageID: Hashable, Sendable, Decodable, CustomStringConvertible, ExpressibleByIntegerLiteral {
  /// An integer.
  case number(Int)
  /// Any other text.
  case text(String)

  /// An integer.
  public init(integerLiteral value: Int) { self = .number(value) }

  /// An id by its text.
  public init(_ text: String) {
    if let number = Int(text), String(number) == text { self = .number(number) } else { self = .text(text) }
  }

  /// The integer, if it is one.
  public var number: Int? { if case .number(let number) = self { number } else { nil } }

  /// The id as text.
  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .text(let text): text
    }
  }

  /// Reads an id. A number that is no integer is refused with its place, not as broken JSON.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self.init(text)
      return
    }
    do {
      self = .number(try container.decode(Int.self))
    } catch let error as DecodingError {
      throw error
    } catch {  // Foundation's own, which it would report as broken JSON.
      let reason = "Expected an integer but found a number that is no integer of 64 bits instead."
      throw DecodingError.typeMismatch(
        Int.self, .init(codingPath: decoder.codingPath, debugDescription: reason))
    }
  }
}
