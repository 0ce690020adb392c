internal import Support

/// What the instructions do.
extension PickleReader {
  /// Does what an instruction says.
  mutating func run(_ opcode: PickleOpcode) throws(WeightFileError) {
    switch opcode {
    case .stop: break
    case .proto:
      let version = try reader.integer("a protocol", as: UInt8.self)
      guard version <= 5 else { throw reader.malformed("a pickle protocol of 0 to 5", "\(version)") }
    case .frame: try reader.skip(8, of: "a frame's length")
    case .mark: marks.append(stack.count)
    case .pop:
      if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popMarked()
    case .dup: stack.append(try top())
    case .none: try push(.none)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .float, .int, .long, .string, .unicode, .persID, .global, .inst, .get, .put: try runLine(opcode)
    case .binInt, .binInt1, .binInt2, .long1, .long4, .binFloat: try push(number(opcode))
    case .binUnicode, .shortBinUnicode, .binUnicode8, .binString, .shortBinString, .binBytes, .shortBinBytes,
      .binBytes8, .byteArray8:
      try push(characters(opcode))
    case .emptyTuple: try push(.tuple([]))
    case .emptyList, .emptySet: try push(.list([]))
    case .emptyDict: try push(.dictionary([]))
    case .tuple: try push(.tuple(popMarked()))
    case .list, .frozenSet: try push(.list(popMarked()))
    case .dict:
      let items = try popMarked()
      try push(.dictionary([]))
      try fill(with: items)
    case .tuple1, .tuple2, .tuple3:
      let count = Int(opcode.rawValue - PickleOpcode.tuple1.rawValue) + 1
      var items: [Reference] = []
      for _ in 0..<count { items.append(try pop()) }
      try push(.tuple(items.reversed()))
    case .append:
      let item = try pop()
      try extend(with: [item])
    case .appends, .addItems: try extend(with: popMarked())
    case .setItem:
      let value = try pop()
      let key = try pop()
      try fill(with: [key, value])
    case .setItems: try fill(with: popMarked())
    case .binGet: try recall(Int(reader.integer("a place of the memo", as: UInt8.self)))
    case .longBinGet: try recall(Int(reader.integer("a place of the memo", as: UInt32.self)))
    case .binPut: try keep(as: Int(reader.integer("a place of the memo", as: UInt8.self)))
    case .longBinPut: try keep(as: Int(reader.integer("a place of the memo", as: UInt32.self)))
    case .memoize: try keep(as: memo.count)
    case .stackGlobal:
      let name = try pop()
      let module = try pop()
      try pushGlobal(module: text(of: module), name: text(of: name))
    case .reduce, .newObj:
      let arguments = try pop()
      let callee = try pop()
      stack.append(try call(callee, try items(of: arguments, "arguments")))
    case .newObjEx:
      let named = try pop()
      let arguments = try pop()
      let callee = try pop()
      guard case .dictionary(let named) = nodes[Int(named)], named.isEmpty else {
        throw reader.malformed("a class without named arguments", "some")
      }
      stack.append(try call(callee, try items(of: arguments, "arguments")))
    case .obj:
      let all = try popMarked()
      guard let callee = all.first else { throw reader.malformed("a class on the stack", "none") }
      stack.append(try call(callee, Array(all.dropFirst())))
    case .build:
      let state = try pop()
      let object = try top()
      try build(object, state)
    case .binPersID:
      let identity = try pop()
      try push(storage(identity))
    case .ext1, .ext2, .ext4:
      throw .refused(
        path: reader.path, place: reader.placeName,
        reason: "refused: the file asks for an extension that its own program has registered")
    case .nextBuffer, .readOnlyBuffer:
      throw .refused(
        path: reader.path, place: reader.placeName, reason: "refused: the file's arrays are not in the file")
    }
  }

  /// Instructions whose argument is a line of text.
  private mutating func runLine(_ opcode: PickleOpcode) throws(WeightFileError) {
    let range = try reader.line(of: "a line of a pickle")
    func text() -> String { String(decoding: reader.bytes[range], as: UTF8.self) }
    func number(_ text: Substring) throws(WeightFileError) -> Node {
      if let value = Int(text) { return .integer(value) }
      guard let value = Double(text) else {
        throw reader.malformed("a number", String(text.prefix(40)), at: range.lowerBound)
      }
      return .double(value)
    }
    switch opcode {
    case .int where range.count == 2 && reader.bytes[range.lowerBound] == 0x30:
      // `00` and `01` are bools.
      try push(.bool(reader.bytes[range.lowerBound + 1] == 0x31))
    case .int: try push(number(Substring(text())))
    case .long:
      let text = text()
      try push(number(text.hasSuffix("L") ? text.dropLast() : Substring(text)))
    case .float:
      guard let value = Double(text()) else {
        throw reader.malformed("a number", String(text().prefix(40)), at: range.lowerBound)
      }
      try push(.double(value))
    case .string:
      guard let bytes = PickleText.bytes(ofLiteral: reader.bytes[range]) else {
        throw reader.malformed("a text in quotes", String(text().prefix(40)), at: range.lowerBound)
      }
      try push(.oldString(bytes))
    case .unicode: try push(.string(PickleText.string(ofEscaped: reader.bytes[range])))
    case .persID:
      throw .refused(
        path: reader.path, place: reader.placeName,
        reason: "refused: the file asks for something that is kept elsewhere")
    case .global, .inst:
      let name = try reader.line(of: "the name of a class")
      let isName = range.count + name.count <= 1024
      guard isName else { throw reader.malformed("a name", "\(range.count + name.count) bytes") }
      let called = String(decoding: reader.bytes[name], as: UTF8.self)
      if opcode == .global {
        try pushGlobal(module: text(), name: called)
      } else {
        let arguments = try popMarked()
        try pushGlobal(module: text(), name: called)
        stack.append(try call(pop(), arguments))
      }
    case .get, .put:
      guard let key = Int(text()), key >= 0 else {
        throw reader.malformed("a place of the memo", String(text().prefix(40)), at: range.lowerBound)
      }
      if opcode == .get { try recall(key) } else { try keep(as: key) }
    default: break
    }
  }

  private mutating func number(_ opcode: PickleOpcode) throws(WeightFileError) -> Node {
    switch opcode {
    case .binInt: return .integer(Int(try reader.integer("a number", as: Int32.self)))
    case .binInt1: return .integer(Int(try reader.integer("a number", as: UInt8.self)))
    case .binInt2: return .integer(Int(try reader.integer("a number", as: UInt16.self)))
    case .binFloat:
      return .double(Double(bitPattern: (try reader.integer("a number", as: UInt64.self)).byteSwapped))
    default:
      let count =
        opcode == .long1
        ? Int(try reader.integer("a number's length", as: UInt8.self))
        : Int(try reader.integer("a number's length", as: Int32.self))
      return PickleText.integer(reader.bytes[try reader.range(count, of: "a number")])
    }
  }

  private mutating func characters(_ opcode: PickleOpcode) throws(WeightFileError) -> Node {
    let what = "a text's length"
    let count: Int
    switch opcode {
    case .shortBinUnicode, .shortBinString, .shortBinBytes:
      count = Int(try reader.integer(what, as: UInt8.self))
    case .binUnicode8, .binBytes8, .byteArray8:
      count = Int(exactly: try reader.integer(what, as: UInt64.self)) ?? .max
    default: count = Int(try reader.integer(what, as: UInt32.self))
    }
    let start = try reader.range(count, of: "a text").lowerBound
    switch opcode {
    case .binUnicode, .shortBinUnicode, .binUnicode8: return .text(start: start, count: count)
    case .binString, .shortBinString: return .oldText(start: start, count: count)
    default: return .bytes(start: start, count: count)
    }
  }

  /// Puts items behind those of the list below them.
  private mutating func extend(with items: [Reference]) throws(WeightFileError) {
    let place = Int(try top())
    guard case .list(var all) = nodes[place] else {
      throw reader.malformed("a list to add to", "something else")
    }
    // Nobody else holds the items while they grow.
    nodes[place] = .none
    all += items
    nodes[place] = .list(all)
  }

  /// Puts keys and values behind those of the dictionary below them.
  private mutating func fill(with items: [Reference]) throws(WeightFileError) {
    let place = Int(try top())
    guard items.count % 2 == 0 else {
      throw reader.malformed("keys and values in pairs", "\(items.count) of them")
    }
    switch nodes[place] {
    case .dictionary(var all):
      nodes[place] = .none
      all += items
      nodes[place] = .dictionary(all)
    // A class that is a kind of dictionary: what it holds is what it is.
    case .object(let object) where objects[object].state == nil:
      objects[object].state = try make(.dictionary(items))
    case .object(let object):
      guard let state = objects[object].state, case .dictionary(var all) = nodes[Int(state)] else {
        fallthrough
      }
      nodes[Int(state)] = .none
      all += items
      nodes[Int(state)] = .dictionary(all)
    default: throw reader.malformed("a dictionary to add to", "something else")
    }
  }
}
