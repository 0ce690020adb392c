internal import Foundation
internal import Support

/// What a request says by name: in the query of its path, in fields of a form, or as JSON's keys.
package struct Fields: Sendable {
  /// A value, and whether it may be text that stands for something else, as in a query.
  private struct Value: Sendable {
    let json: JSON
    let isWritten: Bool
  }

  private var values: [String: [Value]] = [:]

  package init() {}

  /// What came as text, sorted by names: what the tests of the readers write again.
  var written: [(name: String, text: String)] {
    values.sorted { $0.key < $1.key }.flatMap { name, values in
      values.compactMap { value in value.json.string.map { (name, $0) } }
    }
  }

  /// Adds a field of a query or a form.
  package mutating func add(_ name: String, text: String) {
    values[name, default: []].append(Value(json: .string(text), isWritten: true))
  }

  /// Adds a JSON member; a list is a field given several times.
  package mutating func add(_ name: String, _ value: JSON) {
    let list: [JSON]
    switch value {
    case .null: return
    case .list(let values): list = values
    default: list = [value]
    }
    values[name, default: []] += list.map { Value(json: $0, isWritten: false) }
  }

  /// Adds the fields of a query, such as `captions=3&prefix=two%20dogs`.
  /// - Throws: `Problem` for what can't be decoded.
  package mutating func add(query: String) throws(Problem) {
    // By scalars: to a Character a sign with an accent is none.
    for pair in query.unicodeScalars.split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      func decoded(_ text: Substring.UnicodeScalarView) throws(Problem) -> String {
        let spaced = String(String.UnicodeScalarView(text.map { $0 == "+" ? " " : $0 }))
        guard let decoded = spaced.removingPercentEncoding else {
          throw .bad("the query: expected percent-encoded UTF-8, found \"\(String(text).shortened(to: 60))\"")
        }
        return decoded
      }
      add(try decoded(sides[0]), text: sides.count > 1 ? try decoded(sides[1]) : "")
    }
  }

  /// Refuses fields that nobody asked for.
  package func check(_ known: Set<String>) throws(Problem) {
    if let name = values.keys.sorted().first(where: { !known.contains($0) }) {
      throw .bad(
        "\(name.shortened(to: 60)): no field of that name; expected \(known.sorted().joined(separator: ", "))"
      )
    }
  }

  package func has(_ name: String) -> Bool { values[name] != nil }

  private func single(_ name: String) throws(Problem) -> Value? {
    guard let found = values[name] else { return nil }
    guard found.count == 1 else { throw .bad("\(name): expected one value, found \(found.count)") }
    return found[0]
  }

  /// A whole number within bounds; nil where it is not given.
  package func integer(_ name: String, _ bounds: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let value = try single(name) else { return nil }
    let number = value.isWritten ? value.json.string.flatMap { Int($0) } : value.json.integer
    guard let number, bounds.contains(number) else {
      let range =
        bounds.upperBound == .max
        ? "\(bounds.lowerBound) or more" : "\(bounds.lowerBound) to \(bounds.upperBound)"
      throw .bad("\(name): expected a whole number, \(range), found \(value.json.kind)")
    }
    return number
  }

  /// A number within bounds.
  package func number(_ name: String, _ bounds: ClosedRange<Double>) throws(Problem) -> Double? {
    guard let value = try single(name) else { return nil }
    let number: Double? =
      switch value.json {
      case .integer(let number): Double(number)
      case .number(let number): number
      case .string(let text) where value.isWritten: Double(text)
      default: nil
      }
    guard let number, bounds.contains(number) else {
      throw .bad(
        "\(name): expected a number, \(bounds.lowerBound) to \(bounds.upperBound), found \(value.json.kind)")
    }
    return number
  }

  /// true or false.
  package func flag(_ name: String) throws(Problem) -> Bool? {
    guard let value = try single(name) else { return nil }
    if let flag = value.json.flag { return flag }
    switch value.isWritten ? value.json.string : nil {
    case "true", "1", "": return true
    case "false", "0": return false
    default: throw .bad("\(name): expected true or false, found \(value.json.kind)")
    }
  }

  /// A text.
  package func text(_ name: String) throws(Problem) -> String? {
    guard let value = try single(name) else { return nil }
    guard let text = value.json.string else {
      throw .bad("\(name): expected text, found \(value.json.kind)")
    }
    return text
  }

  /// All texts of a name, in their order.
  package func texts(_ name: String) throws(Problem) -> [String] {
    var texts: [String] = []
    for (place, value) in (values[name] ?? []).enumerated() {
      guard let text = value.json.string else {
        throw .bad("\(name)[\(place)]: expected text, found \(value.json.kind)")
      }
      texts.append(text)
    }
    return texts
  }
}
