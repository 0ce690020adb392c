internal import Models
internal import Kernels
internal import Tensors

/// How fast this machine is now, by a few probes of a second or so altogether.
enum MachineSpeed {
  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(body) / .seconds(1)
  }

  /// Seconds that an image takes through frozen convolutions.
  static func secondsAnImage(_ encoder: VGGEncoder) -> Double {
    let (height, width) = (encoder.preprocessing.height, encoder.preprocessing.width)
    let images = Tensor(zeros: [VGGEncoder.batchSize, height, width, 3])
    _ = encoder.maps(images)
    return seconds { _ = encoder.maps(images) } / Double(VGGEncoder.batchSize)
  }

  /// What convolutions that learn take: seconds of an image forward and backward, and of making the transformed
  /// weights once a step.
  struct Convolutions {
    var forward = 0.0, backward = 0.0, transform = 0.0

    /// Nothing: none learns.
    init() {}

    /// - Parameters:
    ///   - map: [h, w, C] of a map at the cut.
    ///   - images: how many go through together.
    init(_ convolutions: inout TrainableConvolutions, map: Shape, images: Int) {
      var trace = TrainableConvolutions.Trace()
      let maps = Tensor(zeros: Shape([images] + map.dimensions))
      func forward(transforming: Bool) -> Tensor {
        convolutions.trainingForward(maps, .batch, transforming: transforming, into: &trace, on: .cpu)
      }
      convolutions.backward(forward(transforming: true), &trace, on: .cpu)
      let both = seconds { _ = forward(transforming: true) }
      var pooled = Tensor(zeros: [0])
      let alone = seconds { pooled = forward(transforming: false) }
      self.forward = alone / Double(images)
      transform = max(0, both - alone)
      backward = seconds { convolutions.backward(pooled, &trace, on: .cpu) } / Double(images)
    }
  }

  /// Multiplications and additions of matrices a second.
  static func operationsPerSecond() -> Double {
    let (m, n, k) = (512, 2048, 512)
    let (a, b) = (Tensor(zeros: [m, k]), Tensor(zeros: [k, n]))
    var c = Tensor(zeros: [m, n])
    let out = c.mutableMatrix()
    func product() { multiply(.plain(a.matrix), .plain(b.matrix), into: out, on: .cpu) }
    product()
    return 20 * 2 * Double(m * n * k) / seconds { for _ in 0..<20 { product() } }
  }

  /// Bytes of memory read and written a second.
  static func bytesPerSecond() -> Double {
    let bytes = 64 << 20
    let from = [UInt8](repeating: 1, count: bytes)
    var to = [UInt8](repeating: 0, count: bytes)
    let time = seconds {
      to.withUnsafeMutableBytes { to in from.withUnsafeBytes { to.copyMemory(from: $0) } }
    }
    return 2 * Double(bytes) / max(time, 1e-6)
  }
}
