internal import Foundation
internal import Support

/// Any JSON.
package enum JSON: Sendable, Equatable {
  case null
  case flag(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([JSON])
  case object([String: JSON])

  /// Values and levels of a request's JSON, at most: what it takes in memory is many times what is sent.
  package static let (maximumValues, maximumDepth) = (10_000, 32)

  /// Reads a request's JSON.
  /// - Throws: `Problem` for what is no JSON, or too much of it.
  package init(_ bytes: [UInt8]) throws(Problem) {
    try Self.check(bytes)
    do {
      self = try JSONDecoder().decode(JSON.self, from: Data(bytes))
    } catch DecodingError.dataCorrupted(let context) {
      throw .bad("the body: expected JSON, found none: \(context.debugDescription)")
    } catch {
      throw .bad("the body: expected JSON, found none")
    }
  }

  /// Reads a request's JSON object.
  /// - Throws: `Problem` for what is none, or too much of it.
  package init(object bytes: [UInt8]) throws(Problem) {
    try self.init(bytes)
    guard case .object = self else { throw .bad("the body: expected a JSON object, found \(kind)") }
  }

  /// Counts values and levels before anything is made of them.
  private static func check(_ bytes: [UInt8]) throws(Problem) {
    var (values, depth) = (1, 0)
    var (isText, isEscaped) = (false, false)
    for byte in bytes {
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isText = true
      case UInt8(ascii: ","): values += 1
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        values += 1
        depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      guard values <= maximumValues else {
        throw .bad("the body: expected JSON of at most \(maximumValues) values, found more")
      }
      guard depth <= maximumDepth else {
        throw .bad("the body: expected JSON of at most \(maximumDepth) levels, found more")
      }
    }
  }

  /// What it is, for messages.
  package var kind: String {
    switch self {
    case .null: "null"
    case .flag(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): "\"\(value.shortened(to: 60))\""
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// As text, keys sorted.
  package var text: String {
    get throws { try canonicalJSON(self).printableJSON }
  }

  package var string: String? { if case .string(let value) = self { value } else { nil } }
  package var flag: Bool? { if case .flag(let value) = self { value } else { nil } }
  package var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  /// The members of an object; of anything else none.
  package var members: [String: JSON] { if case .object(let value) = self { value } else { [:] } }

  /// true or false of a key; `usual` where there is none, or null.
  package func flag(_ key: String, usual: Bool = false) throws(Problem) -> Bool {
    guard let value = self[key] else { return usual }
    guard let flag = value.flag else { throw .bad("\(key): expected true or false, found \(value.kind)") }
    return flag
  }

  /// The value of a key; nil where there is none, or null.
  package subscript(key: String) -> JSON? {
    guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
    return value
  }
}

extension JSON: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // What is longest first: it is decoded once.
    if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      // However it is written: as a whole number it would be read back.
      self = Int(exactly: value).map(JSON.integer) ?? .number(value)
    } else if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode([JSON].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .flag(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .flag(value) }
  package init(arrayLiteral elements: JSON...) { self = .list(elements) }
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(elements) { $1 })
  }
}
