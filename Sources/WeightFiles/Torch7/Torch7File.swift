public import Support
public import Tensors

/// A file that `torch.save` of Torch 7 wrote, in binary or as text: Lua's values, and tensors. Functions in it are passed
/// over; nothing is run.
public struct Torch7File: Sendable {
  /// The path it was opened by.
  public let path: String
  /// The value that was saved.
  public let root: Torch7Value
  private let objects: [Torch7Object]
  private let file: MappedFile

  /// Reads a file; tensors' numbers stay where they are.
  /// - Throws: `WeightFileError`.
  public init(path: String) throws(WeightFileError) {
    do { try self.init(MappedFile(path: path)) } catch let error as FileError {
      throw .file(error)
    } catch let error as WeightFileError {
      throw error
    } catch {
      throw .malformed(path: path, place: "byte 0", expected: "a Torch 7 file", found: "\(error)")
    }
  }

  /// Reads a file that is mapped.
  /// - Throws: `WeightFileError`.
  public init(_ file: MappedFile) throws(WeightFileError) {
    self.file = file
    path = file.path
    // Longs have the size that they had where the file was written, and it does not say which: of a file that is read
    // as it should be with one size, the other makes nonsense.
    var reader = Torch7Reader(file, longSize: 8)
    do throws(WeightFileError) {
      root = try reader.read()
    } catch {
      guard !reader.isText else { throw error }
      var other = Torch7Reader(file, longSize: 4)
      guard let root = try? other.read() else { throw error }
      self.root = root
      reader = other
    }
    objects = reader.objects
  }

  /// Whether a file begins as those do that hold a table or an object, as files with weights must.
  static func matches(_ start: ArraySlice<UInt8>) -> Bool {
    let firstTable: [UInt8] = [3, 0, 0, 0, 1, 0, 0, 0]
    let firstObject: [UInt8] = [4, 0, 0, 0, 1, 0, 0, 0]
    return [firstTable, firstObject, Array("3\n1\n".utf8), Array("4\n1\n".utf8)].contains {
      start.starts(with: $0)
    }
  }

  /// The text of a value, what is no UTF-8 as U+FFFD; nil: it is none.
  public func text(_ value: Torch7Value) -> String? {
    guard case .text(let range) = value else { return nil }
    return String(decoding: file.bytes[range], as: UTF8.self)
  }

  /// The number that a value is; nil: it is none.
  public func number(_ value: Torch7Value) -> Double? {
    guard case .number(let number) = value else { return nil }
    return number
  }

  /// The class of an object, `nn.Linear` say; nil: it is none that has one.
  public func className(_ value: Torch7Value) -> String? {
    guard case .object(let place) = value else { return nil }
    switch objects[place] {
    case .instance(let name, _): return name
    case .tensor(let name, _): return name
    case .table, .storage, .opaque: return nil
    }
  }

  /// The pairs of a table, or of an object's fields, in the file's order; none of what is neither.
  public func pairs(_ value: Torch7Value) -> [Torch7Pair] {
    guard case .object(let place) = value else { return [] }
    switch objects[place] {
    case .table(let pairs): return pairs
    case .instance(_, .object(let content)):
      guard case .table(let pairs) = objects[content] else { return [] }
      return pairs
    case .instance, .tensor, .storage, .opaque: return []
    }
  }

  /// What a table, or an object, has under a key; `null`: nothing.
  public subscript(value: Torch7Value, key: String) -> Torch7Value {
    let bytes = Array(key.utf8)
    let found = pairs(value).first { pair in
      guard case .text(let range) = pair.key else { return false }
      return range.count == bytes.count && file.bytes[range].elementsEqual(bytes)
    }
    return found?.value ?? .null
  }

  /// What a table has under 1, 2, 3, … up to the first that is missing.
  public func list(_ value: Torch7Value) -> [Torch7Value] {
    var values: [Double: Torch7Value] = [:]
    for pair in pairs(value) {
      if case .number(let key) = pair.key { values[key] = pair.value }
    }
    var list: [Torch7Value] = []
    while let next = values[Double(list.count + 1)] { list.append(next) }
    return list
  }

  /// The shape of a tensor; nil: the value is none.
  public func shape(_ value: Torch7Value) -> Shape? { tensor(value)?.shape }

  /// A tensor's scalars; nil: the value is none.
  public func read(_ value: Torch7Value) -> Tensor? { tensor(value)?.read() }

  private func tensor(_ value: Torch7Value) -> StridedNumbers? {
    guard case .object(let place) = value, case .tensor(_, let tensor) = objects[place] else { return nil }
    return tensor
  }
}

extension Torch7File {
  /// All tensors that can be reached from the root, each by the first way to it: `protos.cnn.modules.1.weight`. Those that
  /// are reached through more than 32 tables have no name, and are left out.
  public var tensors: NamedTensors {
    // Steps from a table to what it holds; a name is made of them where a tensor is found.
    var steps: [(parent: Int, key: Torch7Value, depth: Int)] = []
    func name(_ last: Int) -> String {
      var keys: [String] = []
      var step = last
      while step >= 0 {
        let key = steps[step].key
        keys.append(text(key)?.shortened(to: 60) ?? number(key).map { "\(Int(saturating: $0))" } ?? "?")
        step = steps[step].parent
      }
      return keys.reversed().joined(separator: ".")
    }
    var entries: [NamedTensors.Entry] = []
    var seen = [Bool](repeating: false, count: objects.count)
    var waiting: [(value: Torch7Value, step: Int)] = [(root, -1)]
    while let (value, step) = waiting.popLast() {
      guard case .object(let place) = value, !seen[place] else { continue }
      let depth = step < 0 ? 0 : steps[step].depth
      guard depth <= 32 else { continue }
      seen[place] = true
      if case .tensor(let className, let tensor) = objects[place] {
        entries.append(
          .init(name: name(step), shape: tensor.shape, typeName: className) { () throws(WeightFileError) in
            tensor.read()
          })
        continue
      }
      if case .instance(_, let content) = objects[place] {
        waiting.append((content, step))
        continue
      }
      for pair in pairs(value).reversed() {
        guard case .object = pair.value else { continue }
        steps.append((step, pair.key, depth + 1))
        waiting.append((pair.value, steps.count - 1))
      }
    }
    return NamedTensors(path: path, format: .torch7, entries: entries)
  }
}
