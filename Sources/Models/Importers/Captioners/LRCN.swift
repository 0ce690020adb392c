internal import Imaging
internal import Kernels
internal import Support
internal import Tensors
internal import WeightFiles

/// LRCN (Donahue et al. 2015), whose captioners are Caffe's networks: `embedding`, a table of words, of which row 0 is read first
/// and class 0 ends captions; `lstm1`, and in the two-layer ones `lstm2`, with gates [i, f, o, g]; `predict`, the classes. The
/// image is a static input, at every step: of the only layer (1u), of the upper (2f) or of the lower (2u), wherever there is a
/// `W_xc_static` among a layer's blobs [W_xc, b_c, W_xc_static, W_hc].
///
/// The words are in a file beside it, `vocabulary.txt`, from row 1 on. Its images are the sums over 1,000 classes, `fc8`, which
/// are made a part of W_ih here, or what `fc7` gives: of a VGG network in the same file, or of an encoder beside it.
struct LRCN: CaptionerImporter {
  let title = "LRCN"

  func imported(_ content: CaptionerContent, _ files: CaptionerFiles) throws(ModelError) -> ImportedCaptioner?
  {
    guard case .caffe(let file) = content, file["lstm1/0"] != nil, file["predict/0"] != nil else {
      return nil
    }
    var tensors = ForeignTensors(file.entries, files)
    let table = try tensors.shape("embedding/0", rank: 2)
    let words = try Self.words(count: table[0], files)
    let layers = file["lstm2/0"] == nil ? 1 : 2
    let hidden = try tensors.shape("lstm1/0", rank: 2)[0] / 4
    var description = DecoderDescription(embeddingSize: table[1], hiddenSize: hidden, layers: layers)
    var decoder = [
      "decoder.embedding.weight": words.embedding(try tensors.read("embedding/0", table)),
      "decoder.output.weight": words.weight(try tensors.read("predict/0", [table[0], hidden])),
      "decoder.output.bias": words.bias(try tensors.read("predict/1", [table[0]])),
    ]
    var image: Image?
    for layer in 0..<layers {
      let (foreign, own) = ("lstm\(layer + 1)", "decoder.lstm\(layer == 0 ? "" : "\(layer)")")
      let inputs = layer == 0 ? table[1] : hidden
      let seesImage = file["\(foreign)/3"] != nil
      decoder[own + ".weight_xh"] = try tensors.read("\(foreign)/0", [4 * hidden, inputs])
      decoder[own + ".weight_hh"] = try tensors.read(
        "\(foreign)/\(seesImage ? 3 : 2)", [4 * hidden, hidden])
      var bias = try tensors.read("\(foreign)/1", [4 * hidden])
      if seesImage {
        guard image == nil else {
          throw files.unsupported(
            "an image that enters one layer, as in LRCN-1u, 2u and 2f", "one that enters both")
        }
        let found = try Image(seenBy: foreign, &tensors, rows: 4 * hidden)
        if let constant = found.constant { bias = bias.adding(constant) }
        description.contextLayer = layer
        image = found
      }
      decoder[own + ".bias"] = bias
    }
    guard let image else {
      throw files.unsupported("a static input of lstm1 or lstm2, the image", "none")
    }
    decoder["decoder.image_to_hidden.weight"] = image.weight
    let encoder = try Self.encoder(file, features: image.weight.shape[1], files)
    return try ImportedCaptioner(
      title,
      ModelDescription(
        encoder: encoder.architecture, preprocessing: encoder.preprocessing, decoder: description,
        vocabulary: words.vocabulary, training: ["source": title]),
      encoder: encoder.file, prefix: encoder.prefix, decoder: decoder,
      leftOver: tensors.leftOver.subtracting(encoder.taken).sorted(), path: files.model)
  }

  /// What a layer's gates have of the image: W_ih v, and what is added whatever the image.
  private struct Image {
    let weight: Tensor
    let constant: Tensor?

    /// Reads `W_xc_static`; with `fc8` before it, a linear layer, the product of the two.
    init(seenBy layer: String, _ tensors: inout ForeignTensors, rows: Int) throws(ModelError) {
      let shape = try tensors.shape("\(layer)/2", rank: 2)
      let weight = try tensors.read("\(layer)/2", [rows, shape[1]])
      guard let classes = tensors.shape("fc8/0"), classes.rank == 2, classes[0] == shape[1] else {
        self.weight = weight
        constant = nil
        return
      }
      self.weight = weight.product(try tensors.read("fc8/0", classes))
      let bias = try tensors.read("fc8/1", [classes[0]])
      constant = weight.product(bias.reshaped([classes[0], 1])).reshaped([rows])
    }
  }

  /// The VGG network in the file, whose layers begin with `conv`, or the one beside it.
  private static func encoder(
    _ file: NamedTensors, features: Int, _ files: CaptionerFiles
  ) throws(ModelError) -> (
    architecture: VGGArchitecture, preprocessing: Preprocessing, file: SafetensorsFile, prefix: String,
    taken: Set<String>
  ) {
    let convolutions = file.entries.contains { $0.name.hasPrefix("conv") }
    guard convolutions, let own = try CaffeVGG().imported(file) else {
      let given = try files.encoder(features: features, of: "LRCN")
      return (given.architecture, given.preprocessing, given.file, given.prefix, [])
    }
    let architecture = try own.network(path: files.model)
    guard architecture.head != .none, architecture.featureSize == features else {
      throw files.unsupported(
        "fc6 and fc7 that give the \(features) features that the LSTM reads",
        architecture.head == .none ? "no such layers" : "\(architecture.featureSize)")
    }
    let taken = Set(file.entries.map(\.name)).subtracting(own.leftOver)
    return (architecture, own.preprocessing ?? .caffe, try own.file(path: files.model), "", taken)
  }

  /// The words of the file beside the model, a line each.
  private static func words(count: Int, _ files: CaptionerFiles) throws(ModelError) -> ForeignWords {
    guard let path = files.infos else {
      throw files.unsupported(
        "the words of a model of LRCN beside it: --infos vocabulary.txt", "none")
    }
    let text: FileContents
    do { text = try FileContents(path: path, limit: 1 << 26) } catch { throw .foreign(.file(error)) }
    var words: [Int: String] = [:]
    for line in text.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let word = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      // A line feed at the end begins no word.
      if word.isEmpty, line.endIndex == text.bytes.endIndex { break }
      words[words.count + 1] = word
    }
    guard words.count + 1 == count else {
      throw .unsupported(
        path: path, expected: "\(count - 1) words, a line each, for the \(count) rows of embedding",
        found: "\(words.count)")
    }
    return try ForeignWords(words, count: count, start: 0, end: 0, files)
  }
}
