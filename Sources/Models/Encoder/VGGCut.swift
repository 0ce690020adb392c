internal import Kernels
public import Tensors

extension VGGArchitecture {
  /// The convolutions as the paper's readers call them: `conv1_1`, `conv1_2`, `conv2_1`, …
  public var convolutionNames: [String] {
    var (block, place) = (1, 0)
    var names: [String] = []
    for layer in layers {
      if layer == .pool {
        (block, place) = (block + 1, 0)
      } else {
        place += 1
        names.append("conv\(block)_\(place)")
      }
    }
    return names
  }

  /// The network cut in two before a convolution, `conv4_1` say; nil where there is none of that name, or where two
  /// pools follow each other.
  public func cut(before name: String) -> VGGCut? { VGGCut(self, before: name) }
}

/// A VGG network in two parts: convolutions that are frozen, then convolutions that learn.
public struct VGGCut: Sendable, Equatable {
  /// The whole network.
  public let architecture: VGGArchitecture
  /// The first convolution that learns.
  public let name: String
  /// What is before it, without a head; nil when everything learns.
  public let frozen: VGGArchitecture?
  /// The convolutions that learn.
  let trained: [VGGArchitecture.Convolution]

  init?(_ architecture: VGGArchitecture, before name: String) {
    let layers = architecture.layers
    let places = layers.indices.filter { layers[$0] != .pool }
    let pairs = zip(layers, layers.dropFirst())
    guard let index = architecture.convolutionNames.firstIndex(of: name),
      !pairs.contains(where: { $0 == .pool && $1 == .pool })
    else { return nil }
    self.architecture = architecture
    self.name = name
    frozen = architecture.replacing(layers: Array(layers[..<places[index]]), head: .none)
    trained = Array(architecture.convolutions[index...])
  }

  /// The map [h, w, C] at the cut of an image of a size.
  public func mapShape(height: Int, width: Int) -> Shape {
    let pools = frozen?.layers.count { $0 == .pool } ?? 0
    return [height >> pools, width >> pools, trained[0].inputChannels]
  }
}
