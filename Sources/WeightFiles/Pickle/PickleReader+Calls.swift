internal import Support

/// What stands for a pickle's calls: data made of data.
extension PickleReader {
  /// A tuple's or a list's items.
  func items(of reference: Reference, _ what: String) throws(WeightFileError) -> [Reference] {
    switch nodes[Int(reference)] {
    case .tuple(let items), .list(let items): return items
    default: throw reader.malformed(what, "no tuple")
    }
  }

  /// A text.
  func text(of reference: Reference) throws(WeightFileError) -> String {
    switch nodes[Int(reference)] {
    case .string(let text): return text
    case .oldString(let bytes) where bytes.count <= 1024: return String(decoding: bytes, as: UTF8.self)
    case .text(let start, let count) where count <= 1024, .oldText(let start, let count) where count <= 1024:
      return String(decoding: reader.bytes[start..<start + count], as: UTF8.self)
    default: throw reader.malformed("a name", "something else")
    }
  }

  /// An integer.
  func integer(of reference: Reference, _ what: String) throws(WeightFileError) -> Int {
    switch nodes[Int(reference)] {
    case .integer(let value): return value
    case .bool(let value): return value ? 1 : 0
    default: throw reader.malformed(what, "something else")
    }
  }

  private func integers(of reference: Reference, _ what: String) throws(WeightFileError) -> [Int] {
    let items = try items(of: reference, what)
    guard items.count <= 32 else { throw reader.malformed("at most 32 of \(what)", "\(items.count)") }
    var result: [Int] = []
    for item in items { result.append(try integer(of: item, what)) }
    return result
  }

  /// What a class or function makes of arguments.
  mutating func call(_ callee: Reference, _ arguments: [Reference]) throws(WeightFileError) -> Reference {
    guard case .global(let place) = nodes[Int(callee)] else {
      throw reader.malformed("a class or function to call", "something else")
    }
    let (name, kind) = globals[place]
    func argument(_ index: Int) throws(WeightFileError) -> Reference {
      guard index < arguments.count else {
        throw reader.malformed("\(index + 1) arguments of \(name)", "\(arguments.count)")
      }
      return arguments[index]
    }
    switch kind {
    case .object:
      objects.append(Made(global: place, arguments: try copy(arguments), state: nil))
      return try make(.object(objects.count - 1))
    case .type, .storage, .otherStorage, .untypedStorage, .torchType:
      throw .refused(
        path: reader.path, place: reader.placeName, reason: "refused: the file asks to run \(name)")
    case .dictionary: return try dictionary(of: arguments.first)
    case .defaultDictionary: return try dictionary(of: arguments.count > 1 ? arguments[1] : nil)
    case .list, .tuple:
      let all = arguments.isEmpty ? [] : try copy(items(of: arguments[0], name))
      return try make(kind == .list ? .list(all) : .tuple(all))
    case .reconstructor: return try call(try argument(0), [])
    case .encode: return try make(encoded(arguments.first))
    case .array: return try make(.array)
    case .buffer:
      let isFortran = arguments.count > 3 ? try text(of: arguments[3]) == "F" : false
      return try make(
        array(data: argument(0), type: argument(1), shape: argument(2), columnsFirst: isFortran))
    case .dtype: return try make(.dtype(NumPyType(code: text(of: argument(0)))))
    case .scalar: return try make(scalar(type: argument(0), data: argument(1)))
    case .tensor, .typedTensor:
      var type: (scalar: ScalarType, name: String)?
      if kind == .typedTensor {
        // Behind requires_grad and hooks.
        guard case .global(let place) = nodes[Int(try argument(6))] else {
          throw reader.malformed("a number type of PyTorch", "something else")
        }
        guard case .torchType(let scalar) = globals[place].kind else {
          throw reader.malformed("a number type of PyTorch", globals[place].name)
        }
        type = (scalar, globals[place].name)
      }
      return try make(
        tensor(
          try argument(0), type: type, offset: integer(of: argument(1), "an offset"),
          extents: integers(of: argument(2), "extents"), strides: integers(of: argument(3), "strides")))
    case .first: return try argument(0)
    case .fromType:
      let function = try argument(0)
      guard case .global(let place) = nodes[Int(function)], globals[place].kind != .fromType else {
        throw reader.malformed("a function that makes a tensor", "another")
      }
      return try call(function, try items(of: argument(2), "arguments"))
    }
  }

  private mutating func dictionary(of pairs: Reference?) throws(WeightFileError) -> Reference {
    guard let pairs else { return try make(.dictionary([])) }
    if case .dictionary(let all) = nodes[Int(pairs)] { return try make(.dictionary(copy(all))) }
    var all: [Reference] = []
    for pair in try copy(items(of: pairs, "pairs of keys and values")) {
      let pair = try items(of: pair, "a key and its value")
      guard pair.count == 2 else { throw reader.malformed("a key and its value", "\(pair.count) values") }
      all += pair
    }
    return try make(.dictionary(copy(all)))
  }

  /// Bytes that are written as text, each a character.
  private mutating func encoded(_ text: Reference?) throws(WeightFileError) -> Node {
    guard let text else { return .ownBytes([]) }
    let node = nodes[Int(text)]
    let scalars: String
    switch node {
    case .bytes, .ownBytes, .oldText, .oldString: return node
    case .string(let text): scalars = text
    case .text(let start, let count):
      scalars = String(decoding: reader.bytes[start..<start + count], as: UTF8.self)
    default: throw reader.malformed("text to make bytes of", "something else")
    }
    // The same text may be asked for again and again.
    encodedBytes += scalars.utf8.count
    guard encodedBytes <= 2 * reader.bytes.count else {
      throw reader.malformed("bytes that are written once", "the same again and again")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(scalars.utf8.count)
    for scalar in scalars.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else {
        throw reader.malformed(
          "characters up to U+00FF", "U+" + String(scalar.value, radix: 16, uppercase: true))
      }
      bytes.append(byte)
    }
    return .ownBytes(bytes)
  }

  /// Fills an object.
  mutating func build(_ object: Reference, _ state: Reference) throws(WeightFileError) {
    switch nodes[Int(object)] {
    case .object(let place): objects[place].state = state
    case .array:
      let parts = try items(of: state, "an array's shape, type and numbers")
      // A version is before them, but in the oldest files.
      guard parts.count == 4 || parts.count == 5 else {
        throw reader.malformed("an array's version, shape, type, order and numbers", "\(parts.count) values")
      }
      let own = Array(parts.suffix(4))
      let columnsFirst = try integer(of: own[2], "an array's order") != 0
      nodes[Int(object)] = try array(data: own[3], type: own[1], shape: own[0], columnsFirst: columnsFirst)
    case .dtype(var type):
      let parts = try items(of: state, "a type's order of bytes")
      guard parts.count > 1 else { throw reader.malformed("a type's order of bytes", "none") }
      try type.setOrder(text(of: parts[1]))
      nodes[Int(object)] = .dtype(type)
    // Attributes beside what such a value is: a state dict's `_metadata`, a parameter's hooks.
    case .dictionary, .list, .tensor, .none: break
    default: throw reader.malformed("an object to fill", "something else")
    }
  }

  // MARK: Numbers

  /// Where a text's or bytes' bytes are.
  private func memory(
    of reference: Reference
  ) throws(WeightFileError) -> (StridedNumbers.Memory, Range<Int>) {
    switch nodes[Int(reference)] {
    case .bytes(let start, let count), .oldText(let start, let count):
      return (.file(reader.file), start..<start + count)
    case .ownBytes(let bytes), .oldString(let bytes): return (.own(bytes), 0..<bytes.count)
    default: throw reader.malformed("the bytes of numbers", "something else")
    }
  }

  private func numPyType(_ reference: Reference) throws(WeightFileError) -> NumPyType {
    switch nodes[Int(reference)] {
    case .dtype(let type): return type
    default: throw reader.malformed("a number type of NumPy", "something else")
    }
  }

  private mutating func array(
    data: Reference, type: Reference, shape: Reference, columnsFirst: Bool
  ) throws(WeightFileError) -> Node {
    let type = try numPyType(type)
    // An array of objects: a list of them.
    if case .list = nodes[Int(data)] { return nodes[Int(data)] }
    let (memory, range) = try memory(of: data)
    guard let scalar = type.scalar else {
      // Texts, dates, records: their bytes.
      return nodes[Int(data)]
    }
    let extents = try integers(of: shape, "an array's extents")
    do {
      let numbers = try StridedNumbers(
        memory, range, type: scalar, bigEndian: type.isBigEndian, extents: extents,
        strides: columnsFirst ? StridedNumbers.columnsFirst(extents) : nil)
      return .tensor(PickleTensor(typeName: type.description, numbers: numbers))
    } catch {
      throw reader.malformed(error.expected, error.found)
    }
  }

  private mutating func scalar(type: Reference, data: Reference) throws(WeightFileError) -> Node {
    let type = try numPyType(type)
    guard let scalar = type.scalar else { return nodes[Int(data)] }
    let (memory, range) = try memory(of: data)
    guard range.count == scalar.size else {
      throw reader.malformed("\(scalar.size) bytes of a number", "\(range.count)")
    }
    return memory.withBytes { bytes in
      if type.isBool { return .bool(bytes[range.lowerBound] != 0) }
      let (integer, double) = scalar.exactly(bytes, at: range.lowerBound, bigEndian: type.isBigEndian)
      return integer.map(Node.integer) ?? .double(double)
    }
  }

  /// A part of a storage of PyTorch.
  private func tensor(
    _ storage: Reference, type: (scalar: ScalarType, name: String)?, offset: Int, extents: [Int],
    strides: [Int]
  ) throws(WeightFileError) -> Node {
    guard case .storage(let place) = nodes[Int(storage)] else {
      throw reader.malformed("a storage of PyTorch", "something else")
    }
    let storage = storages[place]
    // A reading that only looks for the storages, or numbers of another kind.
    guard let bytes = storage.bytes, let scalar = type?.scalar ?? storage.type else { return .none }
    guard offset >= 0, offset <= 1 << 48, storage.offset <= 1 << 48 else {
      throw reader.malformed("an offset in the storage", "\(offset)")
    }
    do {
      let numbers = try StridedNumbers(
        .file(bytes.file), bytes.range, type: scalar, bigEndian: bytes.bigEndian, extents: extents,
        strides: strides, offset: storage.offset + offset)
      return .tensor(PickleTensor(typeName: type?.name ?? storage.typeName, numbers: numbers))
    } catch {
      throw reader.malformed("\(error.expected) in storage \(storage.key)", error.found)
    }
  }
}
