/// The stored form: `{"width": 224, "height": 224, "resize": "stretch", "channelOrder": "bgr", "scale": "0..255",
/// "mean": […], "standardDeviation": […]}`; with `"resize": "shortSideThenCenterCrop"` comes `"shortSide": 256`,
/// with `"stretchThenCrop"` `"side": 256, "margin": 16`.
extension Preprocessing: Codable {
  private enum CodingKeys: String, CodingKey {
    case width, height, resize, shortSide, side, margin, channelOrder, scale, mean, standardDeviation
  }
  private enum ResizeName: String, Codable { case stretch, shortSideThenCenterCrop, stretchThenCrop }

  /// Decodes and checks.
  /// - Throws: `DecodingError`, with the line of `PreprocessingError` when the values make no sense.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let resize: ResizeRule =
      switch try values.decode(ResizeName.self, forKey: .resize) {
      case .stretch: .stretch
      case .shortSideThenCenterCrop:
        .shortSideThenCenterCrop(shortSide: try values.decode(Int.self, forKey: .shortSide))
      case .stretchThenCrop:
        .stretchThenCrop(
          side: try values.decode(Int.self, forKey: .side),
          margin: try values.decode(Int.self, forKey: .margin))
      }
    let (width, height) = (
      try values.decode(Int.self, forKey: .width), try values.decode(Int.self, forKey: .height)
    )
    let channelOrder = try values.decode(ChannelOrder.self, forKey: .channelOrder)
    let scale = try values.decode(Scale.self, forKey: .scale)
    let mean = try values.decode([Float].self, forKey: .mean)
    let standardDeviation = try values.decode([Float].self, forKey: .standardDeviation)
    do {
      try self.init(
        width: width, height: height, resize: resize, channelOrder: channelOrder, scale: scale, mean: mean,
        standardDeviation: standardDeviation)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: error.description, underlyingError: error))
    }
  }

  /// Encodes the stored form.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(width, forKey: .width)
    try values.encode(height, forKey: .height)
    switch resize {
    case .stretch: try values.encode(ResizeName.stretch, forKey: .resize)
    case .shortSideThenCenterCrop(let side):
      try values.encode(ResizeName.shortSideThenCenterCrop, forKey: .resize)
      try values.encode(side, forKey: .shortSide)
    case .stretchThenCrop(let side, let margin):
      try values.encode(ResizeName.stretchThenCrop, forKey: .resize)
      try values.encode(side, forKey: .side)
      try values.encode(margin, forKey: .margin)
    }
    try values.encode(channelOrder, forKey: .channelOrder)
    try values.encode(scale, forKey: .scale)
    try values.encode(mean, forKey: .mean)
    try values.encode(standardDeviation, forKey: .standardDeviation)
  }
}

extension Preprocessing {
  /// What a weights file says of its input in its metadata: `mean` (`"103.939,116.779,123.68"`, in the order of
  /// the channels), `scale` (`"0..255"` or `"0..1"`), `channel_order` (`"BGR"` or `"RGB"`), and perhaps `std`. `width` and
  /// `height` are 224 unless given; `short_side` is that of a picture whose middle is taken, else it is stretched.
  /// Nil when none of the first three is there.
  /// - Throws: `PreprocessingError` when one is there and another is missing or makes no sense.
  public init?(weightsMetadata metadata: [String: String]) throws(PreprocessingError) {
    guard ["mean", "scale", "channel_order"].contains(where: { metadata[$0] != nil }) else { return nil }
    func numbers(_ key: String) throws(PreprocessingError) -> [Float] {
      let text = metadata[key] ?? "nothing"
      let numbers = text.split(separator: ",").map { Float($0.filter { !$0.isWhitespace }) }
      guard !numbers.contains(nil) else {
        throw PreprocessingError(field: key, expected: "numbers separated by commas", found: text)
      }
      return numbers.compactMap(\.self)
    }
    guard let scale = Scale(rawValue: metadata["scale"] ?? "") else {
      throw PreprocessingError(
        field: "scale", expected: "0..255 or 0..1", found: metadata["scale"] ?? "nothing")
    }
    guard let order = ChannelOrder(rawValue: metadata["channel_order"]?.lowercased() ?? "") else {
      throw PreprocessingError(
        field: "channel_order", expected: "RGB or BGR", found: metadata["channel_order"] ?? "nothing")
    }
    func side(_ key: String) throws(PreprocessingError) -> Int? {
      guard let text = metadata[key] else { return nil }
      guard let side = Int(text) else {
        throw PreprocessingError(field: key, expected: "a number of pixels", found: text)
      }
      return side
    }
    let resize = try side("short_side").map { ResizeRule.shortSideThenCenterCrop(shortSide: $0) }
    try self.init(
      width: side("width") ?? 224, height: side("height") ?? 224, resize: resize ?? .stretch,
      channelOrder: order, scale: scale, mean: try numbers("mean"),
      standardDeviation: metadata["std"] == nil ? [1, 1, 1] : try numbers("std"))
  }

  /// What `init(weightsMetadata:)` reads.
  public var weightsMetadata: [String: String] {
    func list(_ numbers: [Float]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
    var metadata = [
      "mean": list(mean), "scale": scale.rawValue, "channel_order": channelOrder.rawValue.uppercased(),
    ]
    if standardDeviation != [1, 1, 1] { metadata["std"] = list(standardDeviation) }
    if width != 224 || height != 224 {
      metadata["width"] = "\(width)"
      metadata["height"] = "\(height)"
    }
    if case .shortSideThenCenterCrop(let side) = resize { metadata["short_side"] = "\(side)" }
    return metadata
  }
}
