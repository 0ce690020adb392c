public import Kernels
public import Tensors

/// A VGG network (Simonyan & Zisserman 2015) as data: a table of 3×3 convolutions and pools, and a head.
public struct VGGArchitecture: Sendable, Equatable {
  /// One row of the table.
  public enum Layer: Sendable, Equatable {
    /// 3×3, stride 1, padding 1, to that many channels; ReLU.
    case convolution(Int)
    /// 2×2 max-pool, stride 2.
    case pool
  }

  /// What turns the last map into the image feature v.
  public enum Head: String, Sendable, Equatable, Codable, CaseIterable {
    /// Nothing: the file holds convolutions only.
    case none
    /// The map averaged to one pixel: no layer (Xu et al. 2015 begin captions with it).
    case mean
    /// The map averaged to 7×7, flattened, FC, ReLU, FC, ReLU: VGG's own FC-4096 pair.
    case full
    /// The map averaged to 2×2, flattened, FC, ReLU.
    case compact
    /// As `compact`, with a second FC and ReLU.
    case compact2

    /// The side of the averaged map.
    public var side: Int { self == .full ? 7 : self == .mean ? 1 : 2 }
    /// The number of fully connected layers.
    public var layers: Int {
      switch self {
      case .none, .mean: 0
      case .compact: 1
      case .full, .compact2: 2
      }
    }
  }

  /// The table.
  public let layers: [Layer]
  /// The head.
  public let head: Head
  /// The width of v (D); 4096 in all published networks.
  public let featureSize: Int
  /// Whether a batch normalisation is between each convolution and its ReLU.
  public var batchNormalization = false
  /// What follows the head's sums.
  public var activation = ActivationName.relu
  /// How the averaged map is normalised before the head reads it.
  public var normalization = FeatureNormalizationName.none
  /// Principal components that `whiten` leaves of it; 0 where it is not whitened.
  public var whiteningComponents = 0
  /// What v is multiplied by where it is the map's mean: about one over its standard deviation in training.
  public var featureScale: Float = 1
  /// The features that are there in the place of convolutions; nil: there are convolutions.
  public var given: GivenFeatures?

  /// A network; nil when the table is empty, ends or begins oddly, or a width is not positive.
  public init?(layers: [Layer], head: Head, featureSize: Int = 4096) {
    guard case .convolution = layers.first, featureSize > 0, featureSize <= 1 << 16 else { return nil }
    for layer in layers {
      if case .convolution(let width) = layer, width < 1 || width > 1 << 14 { return nil }
    }
    self.layers = layers
    self.head = head
    self.featureSize = featureSize
  }

  /// No convolutions, but features that are given; the head reads an image's vector, or the mean of its regions. Nil when the
  /// sizes make no sense; without a head v is what it would read, and so large.
  public init?(given: GivenFeatures, head: Head, featureSize: Int) {
    guard given.isPossible, head != .full, head != .mean, featureSize > 0, featureSize <= 1 << 16 else {
      return nil
    }
    layers = []
    self.head = head
    self.featureSize = featureSize
    self.given = given
  }

  /// A network from a table such as `64,64,pool,128`; nil when the text is not one.
  public init?(table: String, head: Head, featureSize: Int = 4096) {
    var layers: [Layer] = []
    for field in table.split(separator: ",", omittingEmptySubsequences: false) {
      if field == "pool" {
        layers.append(.pool)
      } else if let width = Int(field) {
        layers.append(.convolution(width))
      } else {
        return nil
      }
    }
    self.init(layers: layers, head: head, featureSize: featureSize)
  }

  /// Convolutions of this network with another head, or other ones of its kind; nil where `init` gives none.
  public func replacing(layers: [Layer]? = nil, head: Head, featureSize: Int? = nil) -> VGGArchitecture? {
    if let given {
      return VGGArchitecture(given: given, head: head, featureSize: featureSize ?? self.featureSize)
    }
    var result = VGGArchitecture(
      layers: layers ?? self.layers, head: head, featureSize: featureSize ?? self.featureSize)
    result?.batchNormalization = batchNormalization
    return result
  }

  /// The table as text.
  public var table: String {
    layers.map {
      switch $0 {
      case .convolution(let width): String(width)
      case .pool: "pool"
      }
    }.joined(separator: ",")
  }

  /// VGG-11, 13, 16 or 19; nil for another depth.
  public static func vgg(_ depth: Int, head: Head) -> VGGArchitecture? {
    let repeats: [Int: [Int]] = [
      11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4],
    ]
    guard let counts = repeats[depth] else { return nil }
    var layers: [Layer] = []
    for (width, count) in zip([64, 128, 256, 512, 512], counts) {
      layers += [Layer](repeating: .convolution(width), count: count) + [.pool]
    }
    return VGGArchitecture(layers: layers, head: head)
  }

  /// `VGG-16` and the like when the table is a published one, else `VGG-style`, and whether batch normalisation is in it.
  public var name: String {
    given?.text ?? tableName + (batchNormalization ? " with batch normalisation" : "")
  }

  private var tableName: String {
    for depth in [11, 13, 16, 19] where Self.vgg(depth, head: head)?.layers == layers {
      return "VGG-\(depth)"
    }
    return "VGG-style"
  }

  /// One convolution: torchvision's index among `features`, channels in and out, and whether a pool follows.
  struct Convolution: Equatable {
    let index, inputChannels, outputChannels: Int
    let pool: Bool
  }

  /// The convolutions in order. torchvision counts convolution, batch normalisation, ReLU and pool as a layer each.
  var convolutions: [Convolution] {
    var result: [Convolution] = []
    var index = 0
    var channels = 3
    for (position, layer) in layers.enumerated() {
      guard case .convolution(let width) = layer else {
        index += 1
        continue
      }
      let pool = position + 1 < layers.count && layers[position + 1] == .pool
      result.append(Convolution(index: index, inputChannels: channels, outputChannels: width, pool: pool))
      channels = width
      index += batchNormalization ? 3 : 2
    }
    return result
  }

  /// The tensors of one of them by torchvision's names, `features.0.weight` say: weight and bias, and those of its batch
  /// normalisation, whose number is the next.
  func tensors(of convolution: Convolution) -> [(name: String, shape: Shape)] {
    let (k, c) = (convolution.outputChannels, convolution.inputChannels)
    let own: [(String, Shape)] = [("weight", [k, c, 3, 3]), ("bias", [k])]
    let names = own.map { (name: "features.\(convolution.index).\($0.0)", shape: $0.1) }
    guard batchNormalization else { return names }
    return names + Self.normalizationTensors.map { ("features.\(convolution.index + 1).\($0)", [k]) }
  }

  /// What a batch normalisation is made of: γ, β and the running statistics.
  static let normalizationTensors = ["weight", "bias", "running_mean", "running_var"]

  /// C of the last map.
  public var channels: Int { given?.width ?? convolutions.last?.outputChannels ?? 3 }

  /// The last map's shape [h, w, C] of an image of a size.
  public func mapShape(height: Int, width: Int) -> Shape {
    if let given { return given.mapShape }
    let pools = layers.count { $0 == .pool }
    return [height >> pools, width >> pools, channels]
  }

  /// Channels of the last map (C).
  public var mapChannels: Int { given?.width ?? convolutions.last?.outputChannels ?? 0 }
  /// The side of the averaged map; given features are averaged to one.
  public var side: Int { given == nil ? head.side : 1 }
  /// Width of the averaged, flattened map: C·side².
  public var pooledSize: Int { mapChannels * side * side }
  /// Width of what the head reads of it.
  public var headInputs: Int { normalization == .whiten ? whiteningComponents : pooledSize }
}
