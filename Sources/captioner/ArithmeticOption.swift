import ArgumentParser
import Kernels

/// `--arithmetic` of the commands that read photos.
struct ArithmeticOption: ParsableArguments {
  @Option(
    help:
      "What the convolutions multiply: float32, or bfloat16, which is faster on CPUs that have it and less exact."
  )
  var arithmetic = Arithmetic.float32

  func validate() throws {
    guard arithmetic.isAvailable else {
      throw ValidationError(
        "--arithmetic: expected float32, this CPU can't multiply bfloat16, found \(arithmetic.rawValue)")
    }
  }
}
