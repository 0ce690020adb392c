internal import Support
internal import Tensors
internal import WeightFiles

/// What another project keeps a captioner in.
public struct CaptionerFiles: Sendable {
  /// The model.
  public var model: String
  /// What the project keeps beside it, such as ImageCaptioning.pytorch's vocabulary; nil: nothing.
  public var infos: String?
  /// The encoder that it looks through, where it has none of its own; nil: none was given.
  public var encoder: EncoderSource?

  /// Paths, and an encoder that was read.
  public init(model: String, infos: String? = nil, encoder: EncoderSource? = nil) {
    self.model = model
    self.infos = infos
    self.encoder = encoder
  }
}

/// What a model's file holds.
enum CaptionerContent {
  /// Of Torch 7.
  case torch7(Torch7File)
  /// Of Python: a pickle, or what PyTorch saved.
  case python(PickleValue)
  /// Of Caffe.
  case caffe(NamedTensors)
}

/// A project whose captioners are made ours.
protocol CaptionerImporter: Sendable {
  /// What people call it.
  var title: String { get }
  /// Reads a captioner; nil: the file is none of this project.
  /// - Throws: `ModelError.unsupported` or `.foreign` when it is one, and something is missing, of another shape, or not
  ///   what our decoders do.
  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
}

/// A captioner that another project's files held.
public struct ImportedCaptioner: Sendable {
  /// The project.
  public let project: String
  /// As our model file will have it.
  public let description: ModelDescription
  /// Names of tensors that have no place here.
  public let leftOver: [String]
  /// The convolutions, whose names begin so.
  let convolutions: SafetensorsFile
  let prefix: String
  let network: CaptionNetwork
  private let path: String

  /// The projects that are known, tried in turn.
  static let importers: [any CaptionerImporter] = [
    NeuralTalk2(), NeuralTalk(), LRCN(), ShowAttendAndTell(), ImageCaptioningPyTorch(),
  ]

  /// Reads a captioner of any project that is known; nil: it is of none.
  /// - Throws: `ModelError` that names the file and what is missing.
  public static func read(_ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner? {
    let content: CaptionerContent
    do throws(WeightFileError) {
      let format: WeightFormat?
      do { format = try WeightFormat.of(path: files.model) } catch { throw .file(error) }
      switch format {
      case .torch7: content = .torch7(try Torch7File(path: files.model))
      case .pyTorch, .pickle:
        content = .python(try PickleValue.read(path: files.model, objects: ShowAttendAndTell.classes))
      case .caffe: content = .caffe(try CaffeModel.read(path: files.model))
      default: return nil
      }
    } catch { throw .foreign(error) }
    for importer in importers {
      if let captioner = try importer.imported(content, files) { return captioner }
    }
    return nil
  }

  /// What a model is read from: a model file as it is, or a captioner of another project that has all in one file,
  /// made ours in memory.
  /// - Throws: `ModelError`.
  static func modelFile(at path: String) throws(ModelError) -> SafetensorsFile {
    // Of one that lacks something, as of any other file, it is said that it is no model and what helps.
    if (try? EncoderSource.isForeign(path)) == true, let captioner = try? read(CaptionerFiles(model: path)) {
      let made = try captioner.conversion()
      do throws(SafetensorsError) {
        return try SafetensorsFile(inMemory: made.tensors, metadata: made.metadata, path: path)
      } catch { throw .weights(error) }
    }
    do { return try SafetensorsFile(path: path) } catch { throw .weights(error) }
  }

  /// It as a model file.
  /// - Throws: `ModelError.weights` when a convolution can't be read.
  public func conversion() throws(ModelError) -> Conversion {
    var tensors: [(name: String, tensor: Tensor)] = []
    for (name, shape) in description.encoder.convolutions.flatMap({ description.encoder.tensors(of: $0) }) {
      do throws(SafetensorsError) {
        tensors.append(
          (ModelFile.encoderPrefix + name, try convolutions.tensor(named: prefix + name, shape: shape)))
      } catch { throw .weights(error) }
    }
    tensors += network.parameters.map { ($0.path, $0.value) }
    let metadata: [String: String]
    do { metadata = try description.metadata() } catch {
      throw .unsupported(path: path, expected: "a description that JSON holds", found: "\(error)")
    }
    return Conversion(
      title: "\(project), \(description.encoder.title), \(description.decoder.cell.rawValue) of "
        + "\(description.decoder.hiddenSize), \(description.vocabulary.count) words",
      tensors: tensors, metadata: metadata, leftOver: leftOver)
  }
}

extension ImportedCaptioner {
  /// A captioner of an encoder and a decoder's tensors under our names.
  /// - Parameters:
  ///   - decoder: every one that the description asks for, of its shape.
  ///   - path: the model's file, for messages.
  /// - Throws: `ModelError.unsupported` for what is not as the description says, `.notFinite`.
  init(
    _ project: String, _ description: ModelDescription, encoder: SafetensorsFile, prefix: String,
    decoder: [String: Tensor], leftOver: [String], path: String
  ) throws(ModelError) {
    if let problem = description.decoder.problem {
      throw .unsupported(path: path, expected: "a decoder that can be run", found: problem)
    }
    self.project = project
    self.description = description
    self.leftOver = leftOver
    convolutions = encoder
    self.prefix = prefix
    self.path = path
    network = try CaptionNetwork(description) { (parameter) throws(ModelError) in
      let name = parameter.path
      guard decoder[name] != nil || name.hasPrefix("decoder.") else {
        do throws(SafetensorsError) {
          return try encoder.tensor(
            named: prefix + name.dropFirst(ModelFile.encoderPrefix.count), shape: parameter.shape)
        } catch { throw .weights(error) }
      }
      guard let tensor = decoder[name], tensor.shape == parameter.shape else {
        throw .unsupported(
          path: path, expected: "\(name) of shape \(parameter.shape)",
          found: decoder[name].map { "shape \($0.shape)" } ?? "none")
      }
      guard tensor.scalars.allSatisfy(\.isFinite) else { throw .notFinite(path: path, what: name) }
      return tensor
    }
  }
}

extension CaptionerFiles {
  func unsupported(_ expected: String, _ found: String) -> ModelError {
    .unsupported(path: model, expected: expected, found: found)
  }

  /// The encoder that was given, or features in its place.
  /// - Parameters:
  ///   - features: how many numbers v has, which an encoder's head must give; nil: v is of no account.
  ///   - regions: how many a region has that the decoder attends to; nil: it attends to none.
  func encoder(
    features: Int?, regions: Int? = nil, of project: String
  ) throws(ModelError) -> EncoderSource {
    let numbers = regions ?? features ?? 1
    let given = (regions == nil ? "" : "14x14x") + "\(numbers)"
    guard let encoder else {
      throw unsupported(
        "an encoder beside it, as \(project) keeps none in its models: --encoder FILE, or --features \(given) for features made elsewhere",
        "none")
    }
    if let found = encoder.architecture.given {
      guard found.hasRegions == (regions != nil), found.width == numbers else {
        throw unsupported(
          regions == nil
            ? "features of \(numbers) numbers an image"
            : "features of regions of \(numbers) numbers, such as \(given)", found.sizesText)
      }
      return encoder
    }
    if let regions, encoder.architecture.channels != regions {
      throw .unsupported(
        path: encoder.file.path, expected: "an encoder whose last map has \(regions) channels",
        found: "\(encoder.architecture.channels)")
    }
    guard let features else { return encoder }
    guard encoder.architecture.head != .none, encoder.architecture.featureSize == features else {
      throw .unsupported(
        path: encoder.file.path, expected: "an encoder whose head gives \(features) features",
        found: encoder.architecture.head == .none
          ? "no head" : "\(encoder.architecture.featureSize) features")
    }
    return encoder
  }
}

/// Captioners of other projects.
struct CaptionerConverter: Converter {
  func conversion(ofFileAt path: String, _ options: Conversion.Options) throws(ModelError) -> Conversion? {
    let files = CaptionerFiles(model: path, infos: options.infos, encoder: options.encoder)
    if let captioner = try ImportedCaptioner.read(files) { return try captioner.conversion() }
    guard options.infos == nil, options.encoder == nil else {
      throw files.unsupported(
        "a captioner of \(ImportedCaptioner.importers.map(\.title).joined(separator: ", ")), to go with another file",
        "none")
    }
    return nil
  }
}
