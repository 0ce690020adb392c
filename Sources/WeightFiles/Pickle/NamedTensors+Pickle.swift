internal import Support

extension NamedTensors {
  /// Names of the dictionary that a training script puts a network's tensors into.
  private static let networks = ["state_dict", "model_state_dict", "model", "net", "network", "params"]

  /// The tensors of a pickle: those of a network among what a training script saved, else all, by the keys that lead to
  /// them, with dots between. `module.`, which PyTorch's DataParallel puts before all names, is taken off.
  init(path: String, format: WeightFormat, _ saved: PickleValue) throws(WeightFileError) {
    var root = saved
    for _ in 0..<3 {
      guard let inner = Self.networks.lazy.compactMap({ root[$0] }).first(where: Self.holdsTensors) else {
        break
      }
      root = inner
    }
    var found = Found()
    guard found.add(root, "") else {
      throw .malformed(
        path: path, place: "the tensors", expected: "at most \(Found.most), with names of a line",
        found: "more, or longer names")
    }
    let tensors = found.tensors
    let wrapped = "module."
    let isWrapped = !tensors.isEmpty && tensors.allSatisfy { $0.name.hasPrefix(wrapped) }
    var metadata: [String: String] = [:]
    for (key, value) in (saved.pairs ?? []).prefix(1000) {
      guard let key = key.string, key.utf8.count <= 100, let text = Self.text(value) else { continue }
      metadata[key] = text
    }
    self.init(
      path: path, format: format,
      entries: tensors.map { name, tensor in
        Entry(
          name: isWrapped ? String(name.dropFirst(wrapped.count)) : name, shape: tensor.shape,
          typeName: tensor.typeName
        ) { tensor.read() }
      }, metadata: metadata)
  }

  /// Whether tensors are in a dictionary, or in those that it holds.
  private static func holdsTensors(_ value: PickleValue) -> Bool {
    guard case .dictionary(let pairs) = value else { return false }
    return pairs.contains { pair in
      if case .dictionary(let inner) = pair.value { return inner.contains { $0.value.tensor != nil } }
      return pair.value.tensor != nil
    }
  }

  /// Tensors found so far; a small file may name one again and again.
  private struct Found {
    static let most = 1 << 16
    var tensors: [(name: String, tensor: PickleTensor)] = []
    private var length = 0

    /// Adds those of a value; false: there are too many.
    mutating func add(_ value: PickleValue, _ name: String) -> Bool {
      func inner(_ part: String) -> String { name.isEmpty ? part : "\(name).\(part)" }
      switch value {
      case .tensor(let tensor): tensors.append((name, tensor))
      case .list(let items), .tuple(let items):
        return mayGoOn(name) && items.enumerated().allSatisfy { add($0.element, inner("\($0.offset)")) }
      case .dictionary(let pairs):
        return mayGoOn(name)
          && pairs.allSatisfy { key, item in
            guard let part = key.string ?? key.integer.map(String.init), part.utf8.count <= 1024 else {
              return true
            }
            return add(item, inner(part))
          }
      default: break
      }
      return mayGoOn(name)
    }

    private mutating func mayGoOn(_ name: String) -> Bool {
      length += name.utf8.count
      return tensors.count <= Self.most && length <= 1 << 26
    }
  }

  /// A setting or a number that was saved beside tensors.
  private static func text(_ value: PickleValue) -> String? {
    switch value {
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let text): text.utf8.count <= 1000 ? text : nil
    default: nil
    }
  }
}
