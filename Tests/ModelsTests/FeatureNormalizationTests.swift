import Kernels
import Layers
import Support
import Tensors
import TestSupport
import Testing

@testable import Models

@Suite struct FeatureNormalizationTests {
  /// Three channels of 2×2, as in tools/golden/head.py.
  private static func normalization(
    _ name: FeatureNormalizationName, components: Int = 5
  ) throws -> FeatureNormalization {
    var architecture = try #require(VGGArchitecture(table: "3,pool", head: .compact, featureSize: 4))
    architecture.normalization = name
    architecture.whiteningComponents = components
    return FeatureNormalization(architecture) { Tensor(zeros: $0.shape) }
  }

  @Test(arguments: FeatureNormalizationName.allCases) func agreesWithTorchAndNumpy(
    name: FeatureNormalizationName
  ) throws {
    let golden = try SafetensorsFile(path: fixture("normalization.safetensors"))
    let x = try golden.tensor(named: "x")
    var normalization = try Self.normalization(name)
    #expect(normalization.scalarCount == 0)
    // Blocks of whole rows, in order.
    var read = 0
    let isMeasured = normalization.fit(images: 40, epsilon: 0.01, on: .cpu) { range in
      read += range.count
      return Tensor(Array(x.scalars[range.lowerBound * 12..<range.upperBound * 12]), [range.count, 12])
    }
    #expect(isMeasured && read == (name == .whiten ? 80 : name == .mean ? 40 : 0))
    for statistic in normalization.parameters {
      let key = "\(name.rawValue).\(statistic.path.split(separator: ".").last!)"
      #expect(relativeError(statistic.value, try golden.tensor(named: key)) < 2e-5, "\(key)")
      #expect(!statistic.learns)
    }
    let y = normalization.forward(x, on: .cpu)
    guard name != .none else { return #expect(y == x) }
    #expect(relativeError(y, try golden.tensor(named: "\(name.rawValue).y")) < 2e-5)
    guard name != .mean else { return }
    let dy = try golden.tensor(named: "\(name.rawValue).dy")
    let dx = normalization.backward(x, dy, on: .cpu)
    #expect(relativeError(dx, try golden.tensor(named: "\(name.rawValue).gradient.x")) < 2e-5)
  }

  @Test(arguments: FeatureNormalizationName.allCases) func gradientsAreSlopes(name: FeatureNormalizationName)
    throws
  {
    var random = Random(seed: 3)
    let x = Tensor(uniform: [4, 12], limit: 1, using: &random)
    var normalization = try Self.normalization(name)
    normalization.visitParameters { $0.value = Tensor(uniform: $0.value.shape, limit: 1, using: &random) }
    let dy = Tensor(uniform: normalization.forward(x, on: .cpu).shape, limit: 1, using: &random)
    let dx = normalization.backward(x, dy, on: .cpu)
    let fixed = normalization
    let error = gradientDisagreement(dx, at: x, step: 0.01) {
      zip(fixed.forward($0, on: .cpu).scalars, dy.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    #expect(error < 2e-3)
  }

  /// Whitened training features have variance 1 where it was large beside ε, and the same bits with any threads.
  @Test func whitenedFeaturesAreUncorrelated() throws {
    var random = Random(seed: 9)
    // More than a block.
    let images = 700
    let x = Tensor(uniform: [images, 12], limit: 1, using: &random)
    var found: [Tensor] = []
    for threads in [1, 3] {
      let device = Device(pool: ThreadPool(threads: threads))
      var normalization = try Self.normalization(.whiten)
      _ = normalization.fit(images: images, epsilon: 1e-6, on: device) { range in
        Tensor(Array(x.scalars[range.lowerBound * 12..<range.upperBound * 12]), [range.count, 12])
      }
      found.append(normalization.forward(x, on: device))
    }
    #expect(found[0] == found[1])
    let y = found[0].scalars.map(Double.init)
    for a in 0..<5 {
      for b in 0..<5 {
        let sum = (0..<images).reduce(0.0) { $0 + y[$1 * 5 + a] * y[$1 * 5 + b] }
        #expect(abs(sum / Double(images - 1) - (a == b ? 1 : 0)) < 1e-3)
      }
    }
  }

  /// Features that are all alike, or too large, are no trap.
  @Test func oddFeatures() throws {
    var normalization = try Self.normalization(.whiten)
    let same = Tensor(repeating: 3, [8, 12])
    #expect(normalization.fit(images: 8, epsilon: 0.01, on: .cpu) { _ in same })
    #expect(normalization.forward(same, on: .cpu).scalars.allSatisfy { $0 == 0 })
    let large = Tensor((0..<96).map { ($0 + $0 / 12) % 2 == 0 ? 1e30 : -1e30 }, [8, 12])
    #expect(!normalization.fit(images: 8, epsilon: 0.01, on: .cpu) { _ in large })
    let standard = try Self.normalization(.standardize)
    #expect(standard.forward(same, on: .cpu).scalars.allSatisfy { $0 == 0 })
    #expect(standard.forward(large, on: .cpu).scalars.allSatisfy { abs(abs($0) - 1) < 1e-5 })
  }
}
