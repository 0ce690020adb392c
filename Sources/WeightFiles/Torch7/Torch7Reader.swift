internal import Support

/// Reads a Torch 7 file's values. Values in values are remembered in a list, not by calls: a file may nest them as deeply as
/// it likes.
struct Torch7Reader {
  private var source: Torch7Source
  private let path: String
  /// What was read, by the order of its beginning.
  private(set) var objects: [Torch7Object] = []
  /// Where an object is in `objects`, by the number that the file calls it by.
  private var places: [Int: Int] = [:]
  /// What is begun, the innermost last.
  private var open: [Unfinished] = []

  /// An object some values of which are still to come.
  private struct Unfinished {
    enum Kind {
      case table
      case instance(String)
      case tensor(Geometry)
      case function
    }

    /// Its place in `objects`.
    let object: Int
    let kind: Kind
    /// Pairs of a table that are to come.
    var remaining = 0
    var key: Torch7Value?
    var pairs: [Torch7Pair] = []
  }

  /// All of a tensor but its numbers.
  private struct Geometry {
    let className: String
    let sizes: [Int]
    let strides: [Int]
    let offset: Int
    /// Where it is in the file.
    let place: Int
  }

  /// The beginning of a file whose longs have `longSize` bytes.
  init(_ file: MappedFile, longSize: Int) {
    source = Torch7Source(file, longSize: longSize)
    path = file.path
  }

  /// Whether numbers are digits.
  var isText: Bool { source.isText }

  /// The value that the file is of.
  mutating func read() throws(WeightFileError) -> Torch7Value {
    while true {
      var finished = try begin()
      while let value = finished {
        guard !open.isEmpty else { return value }
        finished = try take(value)
      }
    }
  }

  /// Reads what a value begins with.
  /// - Returns: the value, if that is all of it.
  private mutating func begin() throws(WeightFileError) -> Torch7Value? {
    let start = source.place
    let kind = try source.int("the kind of a value")
    switch kind {
    case 0: return .null
    case 1: return .number(try source.double("a number"))
    case 2: return .text(try source.text("a text"))
    case 3, 4, 6, 7, 8: break
    case 5: return .boolean(try source.int("a boolean") != 0)
    default: throw source.malformed("the kind of a value, 0 to 8", "\(kind)", at: start)
    }
    let number = try source.int("the number of an object")
    if let known = places[number] { return .object(known) }
    let object = objects.count
    places[number] = object
    objects.append(.opaque)
    switch kind {
    case 3:
      let count = try source.int("the size of a table")
      // A key is a kind and a value, and what it stands for a kind at least.
      let least = source.isText ? 5 : 12
      guard count >= 0, count <= source.left / least else {
        throw source.malformed("a table within \(source.left) bytes", "\(count) pairs", at: start)
      }
      guard count > 0 else {
        objects[object] = .table([])
        return .object(object)
      }
      open.append(Unfinished(object: object, kind: .table, remaining: count))
      return nil
    case 4: return try beginInstance(object, at: start)
    default:
      // Byte code, and then what it has captured.
      _ = try source.text("a function")
      open.append(Unfinished(object: object, kind: .function))
      return nil
    }
  }

  private mutating func beginInstance(_ object: Int, at start: Int) throws(WeightFileError) -> Torch7Value? {
    let version = source.string(try name("a class's version", at: start))
    // Files from before there were versions have the class at once.
    let className = version.hasPrefix("V ") ? source.string(try name("a class", at: start)) : version
    guard let (type, isTensor) = Self.numbers(className, longSize: source.longSize) else {
      guard !className.hasPrefix("tds.") else {
        throw .refused(
          path: path, place: "byte \(start)",
          reason: "\(className.printable()), which has a form of its own, is not read")
      }
      open.append(Unfinished(object: object, kind: .instance(className)))
      return nil
    }
    guard isTensor else {
      objects[object] = .storage(
        try source.storage(type, count: try source.long("the size of a storage")))
      return .object(object)
    }
    let dimensions = try source.int("the dimensions of a tensor")
    guard (0...8).contains(dimensions) else {
      throw source.malformed("0 to 8 dimensions of a tensor", "\(dimensions)", at: start)
    }
    var (sizes, strides): ([Int], [Int]) = ([], [])
    for _ in 0..<dimensions { sizes.append(try source.long("a tensor's size")) }
    for _ in 0..<dimensions { strides.append(try source.long("a tensor's stride")) }
    let offset = try source.long("a tensor's beginning")
    let geometry = Geometry(
      className: className, sizes: sizes, strides: strides, offset: offset, place: start)
    open.append(Unfinished(object: object, kind: .tensor(geometry)))
    return nil
  }

  /// The name of a class, or what may stand before it.
  private mutating func name(_ what: String, at start: Int) throws(WeightFileError) -> Range<Int> {
    let range = try source.text(what)
    guard (1...200).contains(range.count) else {
      throw source.malformed("1 to 200 bytes of \(what)", "\(range.count)", at: start)
    }
    return range
  }

  /// Gives a value to the innermost object that waits for one.
  /// - Returns: that object, if it waits for no more.
  private mutating func take(_ value: Torch7Value) throws(WeightFileError) -> Torch7Value? {
    let innermost = open.count - 1
    let object = open[innermost].object
    switch open[innermost].kind {
    case .table:
      guard let key = open[innermost].key else {
        guard value != .null else { throw source.malformed("the key of a table", "nil") }
        open[innermost].key = value
        return nil
      }
      open[innermost].key = nil
      open[innermost].pairs.append(Torch7Pair(key: key, value: value))
      open[innermost].remaining -= 1
      guard open[innermost].remaining == 0 else { return nil }
      objects[object] = .table(open[innermost].pairs)
    case .instance(let className): objects[object] = .instance(className: className, content: value)
    case .tensor(let geometry):
      objects[object] = .tensor(className: geometry.className, try tensor(geometry, value))
    case .function: break
    }
    open.removeLast()
    return .object(object)
  }

  /// The numbers of a tensor, all of them in its storage.
  private func tensor(_ geometry: Geometry, _ value: Torch7Value) throws(WeightFileError) -> StridedNumbers {
    var storage = Torch7Storage(memory: .own([]), range: 0..<0, type: .float32)
    var (sizes, offset) = (geometry.sizes, geometry.offset)
    if case .object(let place) = value, case .storage(let found) = objects[place] {
      storage = found
    } else {
      guard value == .null, sizes.allSatisfy({ $0 == 0 }) else {
        throw source.malformed(
          "a tensor's storage", value == .null ? "nil" : "another value", at: geometry.place)
      }
    }
    // Without dimensions it is empty.
    if sizes.isEmpty || value == .null { (sizes, offset) = ([0], 1) }
    do {
      return try StridedNumbers(
        storage.memory, storage.range, type: storage.type, bigEndian: false, extents: sizes,
        strides: sizes == [0] ? [1] : geometry.strides, offset: max(offset, 0) - 1)
    } catch {
      throw source.malformed(
        "a tensor within its storage: \(error.expected)", error.found, at: geometry.place)
    }
  }

  /// The numbers of a tensor or storage, if a class is one; those of CUDA are written as those of the CPU.
  static func numbers(_ className: String, longSize: Int) -> (type: ScalarType, isTensor: Bool)? {
    guard className.hasPrefix("torch.") else { return nil }
    let isTensor = className.hasSuffix("Tensor")
    guard isTensor || className.hasSuffix("Storage") else { return nil }
    var kind = className.dropFirst(6).dropLast(isTensor ? 6 : 7)
    if kind.hasPrefix("Cuda") {
      kind = kind.dropFirst(4)
      if kind.isEmpty { kind = "Float" }
    }
    let type: ScalarType? =
      switch kind {
      case "Double": .float64
      case "Float": .float32
      case "Half": .float16
      case "Long": longSize == 4 ? .int32 : .int64
      case "Int": .int32
      case "Short": .int16
      case "Char": .int8
      case "Byte": .uint8
      default: nil
      }
    return type.map { ($0, isTensor) }
  }
}
