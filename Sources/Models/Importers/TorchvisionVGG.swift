internal import Imaging
internal import Tensors
internal import WeightFiles

/// The VGG networks of Python's libraries for PyTorch, and what was trained from them.
///
/// Convolutions and their batch normalisations are `features.N.…`, as torchvision numbers them, perhaps with a prefix, or
/// `N.…` where the features alone were saved. FC layers are torchvision's `classifier.N`, timm's `pre_logits.fcN` (convolutions
/// of 7×7 and 1×1, whose weights are the same in the same order), or `linear0` and `linear1` of pretrained-models.pytorch.
struct TorchvisionVGG: EncoderImporter {
  func imported(_ file: NamedTensors) throws(ModelError) -> ImportedEncoder? {
    guard let prefix = Self.prefix(of: file), let layers = Self.layers(of: file, prefix) else { return nil }
    var names = Names()
    for (number, channels) in layers.convolutions.sorted(by: { $0.key < $1.key }) {
      let own = "\(prefix)\(number)", name = "features.\(number)"
      names.add(own + ".weight", as: name + ".weight")
      if file[own + ".bias"] != nil {
        names.add(own + ".bias", as: name + ".bias")
      } else if layers.normalizations.contains(number + 1) {
        // Batch normalisation makes a bias idle, and many leave it out.
        names.zeros.append((name + ".bias", [channels]))
      }
      guard layers.normalizations.contains(number + 1) else { continue }
      for kind in VGGArchitecture.normalizationTensors {
        names.add("\(prefix)\(number + 1).\(kind)", as: "features.\(number + 1).\(kind)")
      }
    }
    let channels = layers.convolutions.max { $0.key < $1.key }?.value ?? 0
    let base = String(
      prefix.dropLast(prefix.hasSuffix("_features.") ? 10 : prefix.hasSuffix("features.") ? 9 : 0))
    var isTimm = false
    if prefix.isEmpty || prefix != base, let pair = Self.head(of: file, base, inputs: channels * 49) {
      isTimm = pair.first.contains("pre_logits")
      for (own, name) in [(pair.first, "classifier.0"), (pair.second, "classifier.3")] {
        for kind in [".weight", ".bias"] { names.add(own + kind, as: name + kind) }
      }
    }
    return try names.encoder(of: file, preprocessing: isTimm ? .torchvision : nil)
  }

  /// What is before the number of the first convolution, which reads three channels.
  private static func prefix(of file: NamedTensors) -> String? {
    let ending = "0.weight"
    let first = file.entries.first {
      $0.shape.rank == 4 && $0.shape.dimensions.dropFirst() == [3, 3, 3]
        && ($0.name == ending || $0.name.hasSuffix("." + ending))
    }
    return first.map { String($0.name.dropLast(ending.count)) }
  }

  /// The numbers of the convolutions, each with its channels, and of the batch normalisations; nil: something else is among
  /// them, or there is but one.
  private static func layers(
    of file: NamedTensors, _ prefix: String
  ) -> (convolutions: [Int: Int], normalizations: Set<Int>)? {
    var convolutions: [Int: Int] = [:]
    var normalizations: Set<Int> = []
    for entry in file.entries where entry.name.hasPrefix(prefix) {
      let parts = entry.name.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let number = Int(parts[0]), (0..<1 << 20).contains(number) else {
        // The whole network may have been saved without a name of its own.
        if prefix.isEmpty { continue }
        return nil
      }
      guard parts[1] == "weight" else { continue }
      switch entry.shape.rank {
      // Wider ones are none, and could not be counted with.
      case 4 where entry.shape[0] <= 1 << 14: convolutions[number] = entry.shape[0]
      case 1: normalizations.insert(number)
      default: return nil
      }
    }
    return convolutions.count > 1 ? (convolutions, normalizations) : nil
  }

  /// The names of the two FC layers that features are taken from; nil: none that are VGG's.
  private static func head(
    of file: NamedTensors, _ base: String, inputs: Int
  ) -> (first: String, second: String)? {
    var pairs = [("pre_logits.fc1", "pre_logits.fc2"), ("linear0", "linear1")].map { (base + $0, base + $1) }
    // Three FC layers, the last over classes, with whatever lies between them; or the two that are numbered so.
    let numbers = file.entries.compactMap { entry -> Int? in
      guard entry.shape.rank == 2, entry.name.hasPrefix(base + "classifier."), entry.name.hasSuffix(".weight")
      else { return nil }
      return Int(entry.name.dropFirst(base.count + 11).dropLast(7))
    }.sorted()
    if numbers.count == 3 || numbers == [0, 3] {
      pairs.append(("\(base)classifier.\(numbers[0])", "\(base)classifier.\(numbers[1])"))
    }
    return pairs.first { first, second in
      guard let one = file[first + ".weight"]?.shape, let two = file[second + ".weight"]?.shape else {
        return false
      }
      let width = one.rank > 0 ? one[0] : 0
      return 1...1 << 16 ~= width && [one, two].allSatisfy { [2, 4].contains($0.rank) }
        && one.count == width * inputs
        && two.count == width * width && two[0] == width
    }
  }

  /// Which tensors are taken, and what they are called here.
  private struct Names {
    private(set) var taken: [(own: String, name: String)] = []
    var zeros: [(name: String, shape: Shape)] = []

    mutating func add(_ own: String, as name: String) { taken.append((own, name)) }

    func encoder(
      of file: NamedTensors, preprocessing: Preprocessing?
    ) throws(ModelError) -> ImportedEncoder {
      var tensors: [(name: String, tensor: Tensor)] = []
      for (own, name) in taken {
        guard let entry = file[own] else {
          throw .unsupported(path: file.path, expected: "a tensor named \(own)", found: "none")
        }
        let tensor: Tensor
        do { tensor = try entry.read() } catch { throw .foreign(error) }
        let isHead = name.hasPrefix("classifier.") && tensor.shape.rank == 4
        let width = tensor.shape.rank > 0 ? tensor.shape[0] : 0
        tensors.append((name, isHead ? tensor.reshaped([width, tensor.count / width]) : tensor))
      }
      for (name, shape) in zeros { tensors.append((name, Tensor(zeros: shape))) }
      let used = Set(taken.map(\.own))
      // Counts of training's steps are no weights.
      let leftOver = file.entries.map(\.name).filter {
        !used.contains($0) && !$0.hasSuffix(".num_batches_tracked")
      }
      return ImportedEncoder(tensors: tensors, preprocessing: preprocessing, leftOver: leftOver)
    }
  }
}
