import Tensors
import TestSupport
import Testing

/// What the checks of gradients themselves let pass.
@Suite struct GradientCheckTests {
  @Test func onlyTheSlopesPass() {
    let value = Tensor([0.3, -0.7, 1.1], [3])
    func error(_ gradient: [Float]) -> Double {
      gradientDisagreement(Tensor(gradient, [3]), at: value) { x in
        x.scalars.reduce(0) { $0 + Double($1) * Double($1) }
      }
    }
    #expect(error([0.6, -1.4, 2.2]) < 1e-3)
    #expect(error([0.6, -1.4, 2.4]) > 1e-2)
    // Nothing, and what is no number, prove nothing.
    for gradient in [[0, 0, 0], [.nan, .nan, .nan], [0.6, .nan, 2.2], [.infinity, 0, 0]] as [[Float]] {
      #expect(error(gradient) == .infinity, "\(gradient)")
    }
  }
}
