internal import Support

/// Reads one pickle: a program for a machine with a stack and a memo, of which every instruction makes data, and none calls
/// anything. Classes and functions are known by name (`PickleGlobal`); another name ends the reading.
///
/// What it makes lies in one list and refers to itself by places there, so that loops and depth do no harm before they are
/// found (`PickleReader+Value`).
struct PickleReader {
  /// A place in `nodes`.
  typealias Reference = Int32

  /// What an instruction made.
  enum Node {
    case none
    case bool(Bool)
    case integer(Int)
    case double(Double)
    /// Text that lies in the file.
    case text(start: Int, count: Int)
    /// Text that was written with escapes.
    case string(String)
    /// A `str` of Python 2 that lies in the file: text or bytes.
    case oldText(start: Int, count: Int)
    /// One that was written with escapes.
    case oldString([UInt8])
    /// Bytes that lie in the file.
    case bytes(start: Int, count: Int)
    /// Bytes that were written in another way.
    case ownBytes([UInt8])
    case list([Reference])
    case tuple([Reference])
    /// Keys and values in turn.
    case dictionary([Reference])
    /// A class or function, by its place in `globals`.
    case global(Int)
    /// By its place in `objects`.
    case object(Int)
    /// By its place in `storages`.
    case storage(Int)
    case dtype(NumPyType)
    /// An array that is not filled yet.
    case array
    case tensor(PickleTensor)
  }

  /// An object of a class without a rule.
  struct Made {
    let global: Int
    let arguments: [Reference]
    var state: Reference?
  }

  /// A storage of PyTorch that tensors are parts of.
  struct Storage {
    /// Its numbers; nil: their tensor says it.
    let type: ScalarType?
    let typeName: String
    let key: String
    /// How many of them.
    let count: Int
    /// Numbers of it before this part, in old files.
    let offset: Int
    /// Where they lie; nil: not asked for.
    let bytes: StoredBytes?
  }

  /// Where a storage's bytes are.
  struct StoredBytes: Sendable {
    let file: MappedFile
    let range: Range<Int>
    let bigEndian: Bool
  }

  /// Finds a storage of PyTorch by its key; nil where it is not known yet.
  typealias FindingStorage = (Storage) throws(WeightFileError) -> StoredBytes?

  /// The most values that are made: far more than any weights have, and little memory.
  static let limit = 1 << 22

  var reader: ByteReader
  /// Names of classes that are read as objects beside those that are known.
  let extraObjects: Set<String>
  let findStorage: FindingStorage?
  var nodes: [Node] = []
  var globals: [(name: String, kind: PickleGlobal)] = []
  var objects: [Made] = []
  /// Those that tensors are parts of, in order.
  private(set) var storages: [Storage] = []
  private var stack: [Reference] = []
  private var marks: [Int] = []
  private var memo: [Int: Reference] = [:]
  private var globalPlaces: [String: Int] = [:]
  /// Items copied from one container to another.
  var copied = 0
  /// Bytes made of texts.
  var encodedBytes = 0

  /// - Parameters:
  ///   - reader: begins where the pickle does.
  ///   - findStorage: nil where the pickle is not of a PyTorch file.
  init(_ reader: ByteReader, objects: Set<String> = [], findStorage: FindingStorage? = nil) {
    self.reader = reader
    extraObjects = objects
    self.findStorage = findStorage
  }

  /// Reads to the pickle's end; `reader` is behind it then.
  mutating func read() throws(WeightFileError) -> PickleValue {
    try runAll()
    return try value(of: pop())
  }

  /// Goes to the pickle's end without making a value; `storages` are known then.
  mutating func skip() throws(WeightFileError) {
    try runAll()
    _ = try pop()
  }

  private mutating func runAll() throws(WeightFileError) {
    while true {
      let place = reader.place
      let byte = try reader.integer("an instruction", as: UInt8.self)
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw reader.malformed(
          "an instruction of pickle protocols 0 to 5", "0x" + String(byte, radix: 16), at: place)
      }
      if opcode == .stop { break }
      try run(opcode)
      guard max(stack.count, marks.count, memo.count) <= Self.limit else {
        throw reader.malformed("at most \(Self.limit) values on the stack and in the memo", "more")
      }
    }
  }

  // MARK: The stack

  /// Adds what was made.
  mutating func make(_ node: Node) throws(WeightFileError) -> Reference {
    guard nodes.count + copied < Self.limit else {
      throw reader.malformed("at most \(Self.limit) values", "more")
    }
    nodes.append(node)
    return Reference(nodes.count - 1)
  }

  /// Counts items that go from one container into another.
  mutating func copy(_ items: [Reference]) throws(WeightFileError) -> [Reference] {
    copied += items.count
    guard nodes.count + copied <= Self.limit else {
      throw reader.malformed("at most \(Self.limit) values", "more")
    }
    return items
  }

  private mutating func push(_ node: Node) throws(WeightFileError) { stack.append(try make(node)) }

  private mutating func pop() throws(WeightFileError) -> Reference {
    guard stack.count > (marks.last ?? 0), let top = stack.popLast() else {
      throw reader.malformed("a value on the stack", "none")
    }
    return top
  }

  /// What lies above the last mark, which goes too.
  private mutating func popMarked() throws(WeightFileError) -> [Reference] {
    guard let mark = marks.popLast() else { throw reader.malformed("a mark on the stack", "none") }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  private func top() throws(WeightFileError) -> Reference {
    guard stack.count > (marks.last ?? 0), let top = stack.last else {
      throw reader.malformed("a value on the stack", "none")
    }
    return top
  }

  private mutating func recall(_ key: Int) throws(WeightFileError) {
    guard let reference = memo[key] else { throw reader.malformed("a value kept as \(key)", "none") }
    stack.append(reference)
  }

  private mutating func keep(as key: Int) throws(WeightFileError) { memo[key] = try top() }

  // MARK: Instructions

  private mutating func run(_ opcode: PickleOpcode) throws(WeightFileError) {
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

  private mutating func pushGlobal(module: String, name: String) throws(WeightFileError) {
    let full = "\(module).\(name)"
    if let place = globalPlaces[full] {
      try push(.global(place))
      return
    }
    guard let kind = PickleGlobal.named(full) ?? (extraObjects.contains(full) ? .object : nil) else {
      // Whole networks are saved as their classes.
      let isNetwork = ["torch.nn.", "torchvision.", "timm.", "__torch__."].contains(where: full.hasPrefix)
      throw .refused(
        path: reader.path, place: reader.placeName,
        reason: "refused: the file asks to run \(full.prefix(200))"
          + (isNetwork ? "; save the network's state_dict() instead" : ""))
    }
    globals.append((full, kind))
    globalPlaces[full] = globals.count - 1
    try push(.global(globals.count - 1))
  }

  /// What a persistent id of PyTorch stands for: `("storage", class, key, device, count)`, in old files with
  /// `(key, offset, count)` of the part that is meant.
  private mutating func storage(_ identity: Reference) throws(WeightFileError) -> Node {
    guard let findStorage else {
      throw .refused(
        path: reader.path, place: reader.placeName,
        reason: "refused: the file asks for something that is kept elsewhere")
    }
    let parts = try items(of: identity, "a storage's identity")
    let expected = "a storage's class, key, device and size"
    guard parts.count >= 5, try text(of: parts[0]) == "storage",
      case .global(let place) = nodes[Int(parts[1])]
    else { throw reader.malformed(expected, "something else") }
    let type: ScalarType?
    let (name, kind) = globals[place]
    switch kind {
    case .storage(let scalar): type = scalar
    case .untypedStorage: type = .uint8
    case .otherStorage: type = nil
    default: throw reader.malformed("a class of storages", name)
    }
    // Old files number their storages.
    let key: String
    if case .integer(let number) = nodes[Int(parts[2])] {
      key = "\(number)"
    } else {
      key = try text(of: parts[2])
    }
    guard case .integer(let count) = nodes[Int(parts[4])], count >= 0 else {
      throw reader.malformed(expected, "no size")
    }
    var offset = 0
    if parts.count > 5, case .tuple(let view) = nodes[Int(parts[5])] {
      guard view.count == 3, case .integer(let start) = nodes[Int(view[1])], start >= 0 else {
        throw reader.malformed("a part of a storage", "something else")
      }
      offset = start
    }
    func storage(_ bytes: StoredBytes?) -> Storage {
      Storage(type: type, typeName: name, key: key, count: count, offset: offset, bytes: bytes)
    }
    let found = try findStorage(storage(nil))
    storages.append(storage(found))
    guard nodes.count + copied + storages.count <= Self.limit else {
      throw reader.malformed("at most \(Self.limit) values", "more")
    }
    return .storage(storages.count - 1)
  }
}
