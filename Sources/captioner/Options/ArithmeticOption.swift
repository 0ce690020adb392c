public import ArgumentParser
public import Kernels

extension Arithmetic: ExpressibleByArgument {}

/// `--arithmetic` of the commands that read photos.
struct ArithmeticOption: ParsableArguments {
  @Option(
    help:
      "What the convolutions multiply: float32, or bfloat16, which is faster on CPUs that have it and less exact."
  )
  var arithmetic = Arithmetic.float32

  func validate() throws {
    if let problem = arithmetic.problem { throw ValidationError("--arithmetic: \(problem)") }
  }
}
