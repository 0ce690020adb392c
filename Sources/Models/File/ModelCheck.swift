internal import Decoding
internal import Kernels
internal import Layers
public import Support
public import Tensors

extension Finding.Kind {
  private static let getAgain = "get the file again from where it comes from, or from an earlier copy"

  /// A file that is no safetensors file.
  public static let notSafetensors = Self(
    "not_a_model", "files that are no models",
    remedy:
      "name a safetensors file: model.safetensors of a run's folder, or VGG weights; caption files come after "
      + "--captions, photos after --images")
  static let metadata = Self(
    "metadata", "models whose description of themselves is wrong",
    remedy: getAgain + "; captioner inspect shows what it says")
  static let missingTensor = Self("missing_tensor", "tensors that are missing", remedy: getAgain)
  static let tensorShape = Self(
    "tensor_shape", "tensors of another shape than the model says", remedy: getAgain)
  static let tensorType = Self(
    "tensor_type", "tensors of a type that can't be read",
    remedy: "store them as F32, F16 or BF16")
  /// A tensor with numbers that are none.
  public static let notFinite = Self(
    "not_finite", "tensors that hold no finite numbers",
    remedy: getAgain + "; of a training run that went wrong, a lower --learning-rate helps")
  static let allZero = Self(
    "all_zero", "weights that are all zero", remedy: getAgain + ": nothing goes through them")
  static let unusedTensor = Self(
    "unused_tensor", "tensors that nothing reads", remedy: "nothing need be done: they take room",
    isNote: true)
  static let cannotCaption = Self(
    "cannot_caption", "models that can't caption", remedy: getAgain)
}

/// What is wrong with the weights of a safetensors file: a captioner model, or a VGG network with torchvision's names.
public struct ModelCheck {
  /// What was found.
  public private(set) var findings: [Finding] = []
  /// What the file is, for people.
  public let summary: String
  private let file: SafetensorsFile

  /// Reads every tensor, and lets a model caption an empty picture.
  /// - Parameter progress: called with the number of tensors read so far and of all.
  public init(_ file: SafetensorsFile, progress: (Int, Int) -> Void = { _, _ in }) {
    self.file = file
    let isModel = file.metadata["format"] == ModelDescription.format
    summary = "\(isModel ? "a captioner model" : "weights"), \(file.entries.count) tensors"
    findings = Self.numbers(in: file, progress)
    guard isModel else {
      checkEncoder()
      return
    }
    let description: ModelDescription
    do { description = try ModelDescription(of: file) } catch {
      findings.append(Finding(.metadata, at: file.path, line: "\(error)"))
      return
    }
    checkTensors(of: description)
    if findings.allSatisfy(\.kind.isNote) { checkCaptions() }
  }

  /// Tensors of any file that hold no numbers, or none but 0.
  /// - Parameter progress: called with the number of tensors read so far and of all.
  public static func numbers(
    in file: SafetensorsFile, _ progress: (Int, Int) -> Void = { _, _ in }
  ) -> [Finding] {
    var findings: [Finding] = []
    let names = file.entries.keys.sorted()
    for (done, name) in names.enumerated() {
      if let stored = try? file.stored(name) {
        let numbers = Numbers(stored)
        if numbers.strange > 0 {
          findings.append(
            Finding(
              .notFinite, at: "\(file.path): \(name)",
              "\(numbers.strange) of \(stored.shape.count) numbers are infinite or none at all"))
        } else if numbers.largest > 1e18 {
          findings.append(
            Finding(.notFinite, at: "\(file.path): \(name)", "numbers up to \(numbers.largest)"))
        } else if numbers.largest == 0, stored.shape.count > 1, name.hasSuffix(".weight") {
          findings.append(Finding(.allZero, at: "\(file.path): \(name)", "all \(stored.shape.count) are 0"))
        }
      }
      progress(done + 1, names.count)
    }
    return findings
  }

  /// Whether the tensors that a model needs are there and as large as it says.
  private mutating func checkTensors(of description: ModelDescription) {
    var read: Set<String> = []
    let encoder = description.encoder
    for (name, shape) in encoder.convolutions.flatMap({ encoder.tensors(of: $0) }) {
      check(ModelFile.encoderPrefix + name, shape, &read)
    }
    for (path, shape) in FeatureNormalization.statistics(of: encoder) { check(path, shape, &read) }
    var inputs = encoder.headInputs
    for index in 0..<encoder.head.layers {
      let outputs = encoder.activation.pieces * encoder.featureSize
      let name = "\(ModelFile.encoderPrefix)classifier.\(3 * index)"
      check(name + ".weight", [outputs, inputs], &read)
      check(name + ".bias", [outputs], &read)
      if encoder.activation == .prelu {
        check("\(ModelFile.encoderPrefix)classifier.\(3 * index + 1).weight", [1], &read)
      }
      inputs = encoder.featureSize
    }
    // A decoder asks for each of its weights when it is made.
    struct Enough: Error {}
    do {
      _ = try makeDecoder(description.decoder) { (parameter) throws(Enough) in
        check(parameter.path, parameter.shape, &read)
        // Of a size that the metadata made up.
        guard parameter.shape.count <= 1 << 26 else { throw Enough() }
        return Tensor(zeros: parameter.shape)
      }
    } catch { return }
    for name in file.entries.keys.sorted() where !read.contains(name) {
      findings.append(Finding(.unusedTensor, at: "\(file.path): \(name)", "no part of the model"))
    }
  }

  private mutating func check(_ name: String, _ shape: Shape, _ read: inout Set<String>) {
    read.insert(name)
    let place = "\(file.path): \(name)"
    guard let entry = file.entries[name] else {
      return findings.append(Finding(.missingTensor, at: place, "expected shape \(shape), found none"))
    }
    if entry.shape != shape {
      findings.append(Finding(.tensorShape, at: place, "expected \(shape), found \(entry.shape)"))
    }
    if StoredType(rawValue: entry.typeName) == nil {
      findings.append(
        Finding(.tensorType, at: place, "expected F32, F16 or BF16, found \(entry.typeName)"))
    }
  }

  /// Whether weights are those of a network that a run can take as `--encoder`.
  private mutating func checkEncoder() {
    do {
      // Reading it finds what is missing.
      let source = try EncoderSource(path: file.path, preprocessing: "auto")
      if file.entries.keys.contains(where: { $0.hasPrefix("decoder.") }) {
        findings.append(
          Finding(
            .metadata, at: file.path,
            "expected metadata of format captioner beside a decoder's weights, found "
              + (file.metadata["format"].map { "format \($0)" } ?? "none")))
      }
      guard file.entries.keys.contains("features.0.weight") else { return }
      var read: Set<String> = []
      let network = source.architecture
      for (name, shape) in network.convolutions.flatMap({ network.tensors(of: $0) }) {
        check(name, shape, &read)
      }
    } catch {
      findings.append(
        Finding(
          .metadata, at: file.path, line: "\(error)",
          remedy:
            "name a captioner model, or VGG-11, 13, 16 or 19 weights, with batch normalisation or without"))
    }
  }

  /// Whether it says something finite of a picture.
  private mutating func checkCaptions() {
    do {
      let isGiven = try ModelDescription(of: file).encoder.given != nil
      let model =
        try isGiven
        ? CaptionModel(ofFeaturesAt: file.path) : CaptionModel(contentsOf: file.path, caching: .streamed)
      let size = model.description.preprocessing
      let maps =
        try isGiven
        ? Tensor(zeros: [1, model.description.mapSize])
        : model.maps(Tensor(zeros: [1, size.height, size.width, 3]))
      let caption = model.captions(maps).first?.first
      if !(caption?.logProb.isFinite ?? false) {
        findings.append(
          Finding(.cannotCaption, at: file.path, "expected a caption of a grey picture, found none"))
      }
    } catch {
      findings.append(Finding(.cannotCaption, at: file.path, line: "\(error)"))
    }
  }
}

/// What a tensor holds.
private struct Numbers {
  /// How many are not finite.
  var strange = 0
  /// The largest magnitude of the others.
  var largest: Float = 0

  init(_ stored: StoredTensor) {
    // Not all at once: FC layers in half precision would be twice as large.
    let size = 1 << 18
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { buffer in
      guard let base = buffer.baseAddress else { return }
      for start in stride(from: 0, to: stored.shape.count, by: size) {
        let range = start..<min(start + size, stored.shape.count)
        stored.read(range, into: base)
        // Nearly all pieces are in order, and a sum tells.
        let sum = sumOfSquares(base, count: range.count, on: .cpu)
        if sum == 0 { continue }
        if sum.isFinite, largest > 0, sum < 1e30 { continue }
        for scalar in buffer[..<range.count] {
          if scalar.isFinite { largest = max(largest, abs(scalar)) } else { strange += 1 }
        }
      }
    }
  }
}
