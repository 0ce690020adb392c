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
  var stack: [Reference] = []
  var marks: [Int] = []
  var memo: [Int: Reference] = [:]
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

  mutating func push(_ node: Node) throws(WeightFileError) { stack.append(try make(node)) }

  mutating func pop() throws(WeightFileError) -> Reference {
    guard stack.count > (marks.last ?? 0), let top = stack.popLast() else {
      throw reader.malformed("a value on the stack", "none")
    }
    return top
  }

  /// What lies above the last mark, which goes too.
  mutating func popMarked() throws(WeightFileError) -> [Reference] {
    guard let mark = marks.popLast() else { throw reader.malformed("a mark on the stack", "none") }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  func top() throws(WeightFileError) -> Reference {
    guard stack.count > (marks.last ?? 0), let top = stack.last else {
      throw reader.malformed("a value on the stack", "none")
    }
    return top
  }

  mutating func recall(_ key: Int) throws(WeightFileError) {
    guard let reference = memo[key] else { throw reader.malformed("a value kept as \(key)", "none") }
    stack.append(reference)
  }

  mutating func keep(as key: Int) throws(WeightFileError) { memo[key] = try top() }

  mutating func pushGlobal(module: String, name: String) throws(WeightFileError) {
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
  mutating func storage(_ identity: Reference) throws(WeightFileError) -> Node {
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
