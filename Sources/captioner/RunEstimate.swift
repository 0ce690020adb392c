import Captioning
import Datasets
import Foundation
import Kernels
import Tensors
import Training

/// Roughly what a run will take: from its sizes, and from the speed that a few probes of this machine show.
struct RunEstimate: Encodable {
  /// Seconds: all views of all images through the convolutions; one epoch; as many epochs as the run may have.
  let featureSeconds, epochSeconds, totalSeconds: Double
  /// Memory of the process; files of the run, of which the features stay after it; free space at the output.
  let memoryBytes, diskBytes, freeDiskBytes: Int

  /// - Parameter decodeSeconds: what decoding one image took.
  init(
    _ configuration: TrainingConfiguration, _ source: EncoderSource, _ check: DataCheck, output: String,
    decodeSeconds: Double
  ) throws {
    guard
      let architecture = VGGArchitecture(
        layers: source.architecture.layers, head: configuration.head, featureSize: configuration.featureSize)
    else { throw TrainingError.configuration("\(configuration.encoder): expected a VGG network") }
    let (v, e, h) = (check.vocabularySize, configuration.embeddingSize, configuration.hiddenSize)
    let (d, pooled) = (configuration.featureSize, architecture.pooledSize)
    let head = pooled * d + (configuration.head.layers - 1) * d * d
    let perWord = 4 * h * (e + h) + h * v
    let parameters = head + 4 * h * (e + h + d + 1) + (e + h + 1) * v
    let words = check.train.words.tokens + check.train.captions
    // Forward once, backward twice; two operations a multiplication.
    let operations = 6 * (Double(words * perWord) + Double(check.train.captions * (head + 4 * h * d)))
    let steps = Double(check.train.captions) / Double(configuration.batchSize)
    // Gradient norm, Adam and the moving average read and write 44 bytes a parameter.
    let traffic = steps * Double(parameters * 44)

    let rows = check.train.images * configuration.views + check.validation.images
    let encoder = try VGGEncoder(
      architecture, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
      residency: .resident)
    featureSeconds = Double(rows) * (try Self.encoderSeconds(encoder) + decodeSeconds)
    epochSeconds = operations / Self.operationsPerSecond() + traffic / Self.bytesPerSecond()
    totalSeconds = featureSeconds + epochSeconds * Double(configuration.epochs)

    let convolutions = source.file.entries.values.filter { $0.shape.rank == 4 }.reduce(0) {
      $0 + $1.shape.count
    }
    // Weights, gradients, two moments and the average; Winograd's 36 numbers for 9; one batch's logits and maps.
    memoryBytes =
      parameters * 20 + convolutions * 16 + configuration.batchSize * (v * 80 + d * 32) + 300 << 20
    // The checkpoint has no gradients; it and the model are written beside the ones they replace.
    diskBytes = rows * pooled * 4 + 2 * (parameters * 16 + parameters * 2 + convolutions * 2)
    freeDiskBytes = Self.freeSpace(at: output)
  }

  /// Whether the run's files fit.
  var fits: Bool { diskBytes <= freeDiskBytes }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(body) / .seconds(1)
  }

  private static func encoderSeconds(_ encoder: VGGEncoder) throws -> Double {
    let (height, width) = (encoder.preprocessing.height, encoder.preprocessing.width)
    let images = Tensor(zeros: [VGGEncoder.batchSize, height, width, 3])
    _ = encoder.pooled(images)
    return seconds { _ = encoder.pooled(images) } / Double(VGGEncoder.batchSize)
  }

  private static func operationsPerSecond() -> Double {
    let (m, n, k) = (512, 2048, 512)
    let (a, b) = (Tensor(zeros: [m, k]), Tensor(zeros: [k, n]))
    var c = Tensor(zeros: [m, n])
    let out = c.mutablePointer()
    func product() { gemm(m: m, n: n, k: k, a.pointer, lda: k, b.pointer, ldb: n, out, ldc: n) }
    product()
    return 20 * 2 * Double(m * n * k) / seconds { for _ in 0..<20 { product() } }
  }

  private static func bytesPerSecond() -> Double {
    let bytes = 64 << 20
    let from = [UInt8](repeating: 1, count: bytes)
    var to = [UInt8](repeating: 0, count: bytes)
    let time = seconds {
      to.withUnsafeMutableBytes { to in from.withUnsafeBytes { to.copyMemory(from: $0) } }
    }
    return 2 * Double(bytes) / max(time, 1e-6)
  }

  /// Free bytes on the disk that will hold `path`, which may not be there yet.
  private static func freeSpace(at path: String) -> Int {
    var folder = URL(fileURLWithPath: path)
    while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
      folder.deleteLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (attributes?[.systemFreeSize] as? NSNumber)?.intValue ?? .max
  }
}
