internal import Support

/// What a pickle made, as values: loops, depth, and sharing that only looks small are found here.
extension PickleReader {
  /// The deepest that values lie in each other.
  private static let deepest = 128
  /// The most values that a walk through all meets, shared ones each time.
  private static let largest = 1 << 24

  /// A value of what was made.
  func value(of root: Reference) throws(WeightFileError) -> PickleValue {
    var values = Values(known: [:], begun: [])
    return try value(of: root, depth: 0, &values).value
  }

  private struct Values {
    /// Containers that are done, and how many values a walk through each meets.
    var known: [Reference: (value: PickleValue, size: Int)]
    /// Those that are being made.
    var begun: Set<Reference>
  }

  private func value(
    of reference: Reference, depth: Int, _ values: inout Values
  ) throws(WeightFileError) -> (value: PickleValue, size: Int) {
    func text(_ start: Int, _ count: Int) -> String {
      String(decoding: reader.bytes[start..<start + count], as: UTF8.self)
    }
    switch nodes[Int(reference)] {
    case .none, .array: return (.none, 1)
    case .bool(let value): return (.bool(value), 1)
    case .integer(let value): return (.integer(value), 1)
    case .double(let value): return (.double(value), 1)
    case .string(let text): return (.string(text), 1)
    case .ownBytes(let bytes): return (.bytes(bytes), 1)
    case .tensor(let tensor): return (.tensor(tensor), 1)
    case .global(let place): return (.object(PickleObject(className: globals[place].name)), 1)
    case .storage(let place): return (.object(PickleObject(className: storages[place].typeName)), 1)
    case .dtype(let type): return (.string(type.description), 1)
    default: break
    }
    if let known = values.known[reference] { return known }
    guard depth < Self.deepest else {
      throw reader.malformed("values at most \(Self.deepest) deep in each other", "more")
    }
    guard values.begun.insert(reference).inserted else {
      throw reader.malformed("values that end", "one that holds itself")
    }
    var size = 1
    func all(_ references: [Reference]) throws(WeightFileError) -> [PickleValue] {
      var result: [PickleValue] = []
      result.reserveCapacity(references.count)
      for item in references {
        let (value, its) = try value(of: item, depth: depth + 1, &values)
        result.append(value)
        size += its
        guard size <= Self.largest else {
          throw reader.malformed("at most \(Self.largest) values", "more, as the same ones again and again")
        }
      }
      return result
    }
    let made: PickleValue
    switch nodes[Int(reference)] {
    case .text(let start, let count): made = .string(text(start, count))
    case .oldText(let start, let count):
      made = Self.oldText(Array(reader.bytes[start..<start + count]))
    case .oldString(let bytes): made = Self.oldText(bytes)
    case .bytes(let start, let count): made = .bytes(Array(reader.bytes[start..<start + count]))
    case .list(let items): made = .list(try all(items))
    case .tuple(let items): made = .tuple(try all(items))
    case .dictionary(let items):
      let flat = try all(items)
      made = .dictionary(stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) })
    case .object(let place):
      let object = objects[place]
      let arguments = try all(object.arguments)
      let state = object.state == nil ? [] : try all([object.state!])
      made = .object(
        PickleObject(
          className: globals[object.global].name, arguments: arguments, state: state.first ?? .none))
    default: made = .none
    }
    values.begun.remove(reference)
    values.known[reference] = (made, size)
    return (made, size)
  }

  /// A `str` of Python 2: text if it can be.
  private static func oldText(_ bytes: [UInt8]) -> PickleValue {
    String(validating: bytes, as: UTF8.self).map(PickleValue.string) ?? .bytes(bytes)
  }
}
