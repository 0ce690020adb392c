internal import Tensors
struct StubMarker {}
public struct Hypothesis { public var words: [Int32]; public var logProbs: [Float] }
public struct BeamSearch {
  public struct Options: Sendable {
    public init(beamWidth: Int = 3, captions: Int = 1, maximumLength: Int = 20) {}
  }
  init(_ decoder: CaptionDecoder, _ options: Options = .init()) {}
  func search(v: Tensor) -> [[Hypothesis]] { [] }
  func score(_ words: [Int32], v: Tensor) -> Hypothesis { Hypothesis(words: words, logProbs: []) }
}
